import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import table from "../../src/rt_notebook/widgets/messages.json";
import { isToFront } from "../src/protocol.ts";

const sources = readdirSync("src", { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"))
  .map((path) => readFileSync(`src/${path}`, "utf8"));

test("a message that the table does not name is not received", () => {
  expect(isToFront("mic.ack")).toBe(true);
  expect(isToFront("toString")).toBe(false);
  expect(isToFront(undefined)).toBe(false);
});

test.each(Object.keys(table.to_kernel))("%s is sent somewhere", (type) => {
  expect(sources.some((text) => text.includes(`send("${type}"`))).toBe(true);
});

test.each(Object.keys(table.to_front))("%s is handled", (type) => {
  const handled = [`case "${type}":`, `type !== "${type}"`];
  expect(sources.some((text) => handled.some((words) => text.includes(words)))).toBe(true);
});

test("no source can turn text into markup", () => {
  const markup = /innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|srcdoc|eval\(/;
  expect(sources.filter((text) => markup.test(text))).toEqual([]);
});
