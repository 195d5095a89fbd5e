import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

test("no source can turn text into markup", () => {
  const markup = /innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|srcdoc|eval\(/;
  const sources = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((path) =>
    path.endsWith(".ts"),
  );
  expect(sources.length).toBeGreaterThan(20);
  expect(sources.filter((path) => markup.test(readFileSync(`src/${path}`, "utf8")))).toEqual([]);
});
