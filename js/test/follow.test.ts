import { expect, test } from "vitest";
import { follow } from "../src/follow.ts";

test("a view follows the traits that it names, from now until it goes", () => {
  const listeners = new Map<string, () => void>();
  const model = {
    on: (name: string, show: () => void) => listeners.set(name, show),
    off: (name: string, show: () => void) => listeners.get(name) === show && listeners.delete(name),
  };
  const view = new AbortController();
  let shown = 0;
  follow(model as never, ["voice", "phase"], () => (shown += 1), view.signal);
  expect(shown).toBe(1);
  expect([...listeners.keys()]).toEqual(["change:voice", "change:phase"]);
  listeners.get("change:phase")!();
  expect(shown).toBe(2);
  view.abort();
  expect(listeners.size).toBe(0);
});
