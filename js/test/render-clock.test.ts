import fc from "fast-check";
import { expect, test } from "vitest";
import { RenderClock } from "../src/audio/render-clock.ts";

test("the fastest report is the one to go by", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 0.5, noNaN: true }), { maxLength: 8 }), (late_s) => {
      const clock = new RenderClock();
      for (const [i, late] of [...late_s, 0].entries()) clock.note(i * 0.04, 100 + i * 0.04 + late);
      expect(clock.page_s(2)).toBeCloseTo(102, 9);
    }),
  );
});

test("a context that stood still has another place from then on", () => {
  const clock = new RenderClock();
  for (let i = 0; i < 40; i++) clock.note(i * 0.04, 100 + i * 0.04);
  for (let i = 40; i < 55; i++) clock.note(i * 0.04, 100.3 + i * 0.04 + (i % 3) * 0.002);
  expect(clock.page_s(2)).toBeCloseTo(102.3, 9);
});

test("a burst of late reports does not move it", () => {
  const clock = new RenderClock();
  for (let i = 0; i < 30; i++) clock.note(i * 0.04, 100 + i * 0.04);
  // The page was busy for 400 ms and then heard of all at once.
  for (let i = 30; i < 40; i++) clock.note(i * 0.04, 100 + 39 * 0.04);
  for (let i = 40; i < 60; i++) clock.note(i * 0.04, 100 + i * 0.04);
  expect(clock.page_s(2)).toBeCloseTo(102, 9);
});

test("before the first report nothing is known", () => {
  expect(new RenderClock().page_s(1)).toBeNaN();
});
