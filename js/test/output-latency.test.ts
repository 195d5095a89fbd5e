import { afterEach, expect, test, vi } from "vitest";
import { outputLatency_s } from "../src/audio/output-latency.ts";

function contextOf(read: () => number | undefined): AudioContext {
  return Object.defineProperty({}, "outputLatency", { get: read }) as AudioContext;
}

afterEach(() => vi.unstubAllGlobals());

test("the device's latency is what the browser tells", () => {
  vi.stubGlobal("navigator", { userAgent: "Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0.0.0 Safari/537.36" });
  expect(outputLatency_s(contextOf(() => 0.04))).toBe(0.04);
  expect(outputLatency_s(contextOf(() => undefined))).toBe(0);
  expect(outputLatency_s(null)).toBe(0);
});

test("Firefox is not asked, since that may stop the page", () => {
  vi.stubGlobal("navigator", {
    userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0",
  });
  const asked = vi.fn(() => 0.04);
  expect(outputLatency_s(contextOf(asked))).toBe(0);
  expect(asked).not.toHaveBeenCalled();
});
