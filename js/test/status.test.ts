import { expect, test } from "vitest";
import { recorded } from "../src/views/status.ts";

function port(traits: Record<string, unknown>) {
  return { model: { get: (name: string) => traits[name] } } as unknown as Parameters<typeof recorded>[0];
}

test("it says that a session is being recorded, and nothing where none is", () => {
  expect(recorded(port({ recorded: true }))).toBe("Being recorded");
  expect(recorded(port({ recorded: false }))).toBe("");
  expect(recorded(port({}))).toBe("");
});
