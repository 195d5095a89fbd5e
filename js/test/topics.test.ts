import { expect, test } from "vitest";
import { Topics } from "../src/topics.ts";

test("a topic is told to those who listen to it, until they go", () => {
  const topics = new Topics<"turns" | "view">();
  const [first, second] = [new AbortController(), new AbortController()];
  const told: string[] = [];
  topics.on("turns", () => told.push("first"), first.signal);
  topics.on("turns", () => told.push("second"), second.signal);
  topics.on("view", () => told.push("view"), second.signal);
  topics.changed("turns");
  first.abort();
  topics.changed("turns");
  expect(told).toEqual(["first", "second", "second"]);
});
