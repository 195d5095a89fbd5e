import fc from "fast-check";
import { expect, test } from "vitest";
import { Resampler } from "../src/audio/resample.ts";

function resample(input: Float32Array, inHz: number, outHz: number, blocks: number[] = [128]): Float32Array {
  const resampler = new Resampler(inHz, outHz, 128);
  const out: number[] = [];
  const block = new Float32Array(resampler.maxOutput(128));
  let at = 0;
  for (let i = 0; at < input.length; i++) {
    const size = blocks[i % blocks.length]!;
    const count = resampler.push(input.subarray(at, at + size), block);
    out.push(...block.subarray(0, count));
    at += size;
  }
  return Float32Array.from(out);
}

const sine = (hz: number, rateHz: number, seconds: number) =>
  Float32Array.from({ length: rateHz * seconds }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hz * i) / rateHz));

function snrDb(got: Float32Array, hz: number, rateHz: number): number {
  let signal = 0;
  let noise = 0;
  for (let i = 500; i < got.length - 500; i++) {
    const ideal = 0.5 * Math.sin((2 * Math.PI * hz * i) / rateHz);
    signal += ideal ** 2;
    noise += (got[i]! - ideal) ** 2;
  }
  return 10 * Math.log10(signal / noise);
}

test.each([44_100, 48_000, 16_000, 96_000, 8_000, 22_050])(
  "a tone at %i Hz keeps its shape and its time",
  (inHz) => {
    for (const hz of [200, 1000, 3000]) {
      expect(snrDb(resample(sine(hz, inHz, 1), inHz, 24_000), hz, 24_000)).toBeGreaterThan(60);
    }
  },
);

test.each([44_100, 48_000, 96_000])("what 24 kHz cannot hold is taken out (from %i Hz)", (inHz) => {
  const out = resample(sine(15_000, inHz, 1), inHz, 24_000).subarray(500, -500);
  const power = out.reduce((sum, x) => sum + x * x, 0) / out.length;
  expect(10 * Math.log10(power / 0.125)).toBeLessThan(-60);
});

test("the length follows the ratio of the rates", () => {
  for (const inHz of [8_000, 16_000, 44_100, 48_000]) {
    const out = resample(new Float32Array(inHz * 3), inHz, 24_000);
    expect(Math.abs(out.length - 72_000)).toBeLessThan(120);
  }
});

test("how the audio is cut into blocks changes nothing", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 128 }), { minLength: 1, maxLength: 8 }), (blocks) => {
      const input = sine(440, 44_100, 0.1);
      const whole = resample(input, 44_100, 24_000);
      const parts = resample(input, 44_100, 24_000, blocks);
      expect(parts.length).toBe(whole.length);
      for (let i = 0; i < whole.length; i++) expect(Math.abs(whole[i]! - parts[i]!)).toBeLessThan(1e-5);
    }),
    { numRuns: 25 },
  );
});
