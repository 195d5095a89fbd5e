import fc from "fast-check";
import { expect, test } from "vitest";
import type { CallRow } from "../src/protocol.ts";
import { shownCalls } from "../src/views/calls.ts";

const state = fc.constantFrom<CallRow["state"]>("pending", "running", "done", "denied", "cancelled");
const rows = fc.array(state, { maxLength: 30 }).map((states) =>
  states.map((state, at) => ({
    call_id: `${at}`,
    digest: "",
    name: "f",
    arguments: "{}",
    state,
    message: "",
  })),
);

test("a call that waits is never hidden, and few others are shown, in their order", () => {
  fc.assert(
    fc.property(rows, (all) => {
      const shown = shownCalls(all);
      expect(shown).toEqual(all.filter((row) => shown.includes(row)));
      expect(shown).toEqual(expect.arrayContaining(all.filter((row) => row.state === "pending")));
      expect(shown.filter((row) => row.state !== "pending").length).toBeLessThanOrEqual(5);
      expect(shown).toEqual(expect.arrayContaining(all.slice(-1)));
    }),
  );
});
