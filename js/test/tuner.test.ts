import fc from "fast-check";
import { expect, test } from "vitest";
import { Asking, PATIENCE_MS } from "../src/tuner/asking.ts";
import { columnBounds, tickStep, timeWords } from "../src/tuner/draw.ts";
import { turnAt, turnsOf, withMark } from "../src/tuner/turns.ts";
import { colourAt, metricWords, placeOn, rangeOf } from "../src/views/tuner/plane.ts";

const stretch = fc.tuple(fc.nat(1000), fc.integer({ min: 1, max: 300 })).map(([a, b]) => [a, a + b] as const);

test("turns come apart again as the kernel has put them together", () => {
  expect(turnsOf(new Int32Array([100, 400, 0, 900, 1, 1000, -1, 900, -1, 2]))).toEqual([
    { onset_ms: 100, speechEnd_ms: 400, start_ms: 0, end_ms: 900, cut: true, wrong: false },
    { onset_ms: 1000, speechEnd_ms: null, start_ms: 900, end_ms: null, cut: false, wrong: true },
  ]);
});

test("a click finds the turn that it is in, else the nearest", () => {
  const turns = turnsOf(new Int32Array([100, 400, 50, 500, 0, 1000, -1, 900, -1, 0]));
  expect([0, 300, 650, 750, 99_999].map((at) => turns.indexOf(turnAt(turns, at)!))).toEqual([0, 0, 0, 1, 1]);
  expect(turnAt([], 5)).toBeUndefined();
});

test("marks are kept in order and apart, and cover what was marked and nothing else", () => {
  fc.assert(
    fc.property(fc.array(stretch, { maxLength: 12 }), (stretches) => {
      let marks: [number, number][] = [];
      for (const [a, b] of stretches) marks = a % 2 ? withMark(marks, a, b) : withMark(marks, b, a);
      for (const [at, [a, b]] of marks.entries()) {
        expect(a).toBeLessThan(b);
        if (at > 0) expect(marks[at - 1]![1]).toBeLessThan(a);
      }
      for (let ms = 0.5; ms < 1300; ms += 7) {
        const marked = stretches.some(([a, b]) => a <= ms && ms <= b);
        expect(marks.some(([a, b]) => a <= ms && ms <= b)).toBe(marked);
      }
    }),
  );
});

test("a slider that is dragged asks one question at a time, and the last place is asked for", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom("drag", "answer", "wait"), { maxLength: 60 }), (steps) => {
      let now_ms = 0;
      let place = 0;
      const sent: number[] = [];
      const asking = new Asking(
        (_n, changes) => sent.push(changes.threshold as number),
        () => now_ms,
      );
      let unanswered = 0;
      for (const step of steps) {
        if (step === "drag") {
          place += 1;
          asking.want({ threshold: place });
        } else if (step === "answer") asking.answered(asking.n);
        else {
          now_ms += PATIENCE_MS;
          asking.go();
        }
        unanswered = step === "drag" ? unanswered + 1 : 0;
      }
      asking.answered(asking.n);
      asking.answered(asking.n);
      expect(asking.settled).toBe(true);
      expect(sent.at(-1)).toBe(place === 0 ? undefined : place);
      expect(sent).toEqual([...sent].sort((a, b) => a - b));
      expect(sent.length).toBe(asking.n);
    }),
  );
  const sent: unknown[] = [];
  const asking = new Asking(
    (_n, changes) => sent.push(changes),
    () => 0,
  );
  for (let at = 0; at < 50; at += 1) asking.want({ threshold: at });
  expect(sent).toEqual([{ threshold: 0 }]);
  asking.answered(1);
  expect(sent).toEqual([{ threshold: 0 }, { threshold: 49 }]);
});

test("no sample is lost between columns, however many there are", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -127, max: 127 }), { minLength: 1, maxLength: 300 }),
      fc.integer({ min: 1, max: 90 }),
      (values, columns) => {
        const { low, high } = columnBounds(values, 1, 0, values.length, columns);
        const known = (each: Float32Array) => [...each].filter((value) => !Number.isNaN(value));
        expect(Math.min(...known(low))).toBe(Math.min(...values));
        expect(Math.max(...known(high))).toBe(Math.max(...values));
        expect(known(low).length).toBe(columns);
      },
    ),
  );
});

test("what lies outside the sound is no column", () => {
  const { low } = columnBounds([1, 2, 3, 4], 2, -2, 4, 6);
  expect([...low].map(Number.isNaN)).toEqual([true, true, false, false, true, true]);
});

test("ticks are as many as fit, and round", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.01, max: 4000, noNaN: true }),
      fc.integer({ min: 1, max: 20 }),
      (span, most) => {
        const step = tickStep(span, most);
        expect(span / step).toBeLessThanOrEqual(most * (1 + 1e-9));
        expect(step >= 30 ? step % 30 : Number(step.toExponential(3).split("e")[0]) % 1).toBeCloseTo(0);
      },
    ),
  );
});

test("long recordings have minutes", () => {
  expect(timeWords(7.256, 2, 60)).toBe("7.26 s");
  expect(timeWords(59.999, 2, 600)).toBe("1:00.00");
  expect(timeWords(125.5, 1, 600)).toBe("2:05.5");
  expect(timeWords(3600, 0, 3700)).toBe("60:00");
});

test("a setting between two cells stands between them on the plane", () => {
  const axis = [100, 150, 200, 300];
  expect([0, 100, 125, 150, 250, 300, 900].map((value) => placeOn(axis, value))).toEqual([
    0.5, 0.5, 1, 1.5, 3, 3.5, 3.5,
  ]);
});

test("a few hopeless settings do not take all the colours", () => {
  const values = new Float32Array([...Array(95).keys(), 1e6, Number.NaN]);
  expect(rangeOf(values)).toEqual([0, 85, 1e6]);
  expect(rangeOf(new Float32Array([Number.NaN]))).toEqual([0, 0, 0]);
  expect(colourAt(-1)).toEqual(colourAt(0));
  expect(colourAt(2)).toEqual(colourAt(1));
});

test("metrics are told with their units, and a missing one as missing", () => {
  expect(metricWords("false_cutoff_rate", 0.125)).toBe("13 %");
  expect(metricWords("endpoint_latency_p50_ms", 512.4)).toBe("512 ms");
  expect(metricWords("cost", 1.234)).toBe("1.23");
  expect(metricWords("noise_s_per_min", 12.34)).toBe("12.3 s");
  expect([null, undefined, Number.NaN].map((value) => metricWords("cost", value))).toEqual(["–", "–", "–"]);
});
