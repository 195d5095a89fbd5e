import { expect, test } from "vitest";
import { clips, levelDbfs, SILENCE_DBFS, samplesOf, toFloat } from "../src/audio/pcm.ts";

test("levels are relative to full scale", () => {
  expect(levelDbfs(new Int16Array(960))).toBe(SILENCE_DBFS);
  expect(levelDbfs(new Int16Array(0))).toBe(SILENCE_DBFS);
  expect(levelDbfs(new Int16Array(960).fill(-32768))).toBeCloseTo(0, 6);
  expect(levelDbfs(new Int16Array(960).fill(16384))).toBeCloseTo(-6.02, 2);
});

test("the end of the scale clips, and nothing before it", () => {
  expect(clips(Int16Array.of(0, 32766, -32767))).toBe(false);
  expect(clips(Int16Array.of(0, 32767))).toBe(true);
});

test("samples are read at odd addresses too, and an odd last byte is left out", () => {
  const bytes = new Uint8Array([9, 1, 0, 0, 128, 7]);
  expect([...samplesOf(new DataView(bytes.buffer, 1))]).toEqual([1, -32768]);
  expect([...toFloat(Int16Array.of(-32768, 16384))]).toEqual([-1, 0.5]);
});
