import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [
    {
      // Worklets run in the browser tests; here their text is not needed.
      name: "worklets-as-text",
      resolveId: (id) => (id.startsWith("worklet:") ? `\0${id}` : undefined),
      load: (id) => (id.startsWith("\0worklet:") ? 'export default ""' : undefined),
    },
    {
      name: "a-hash",
      resolveId: (id) => (id === "hash:code" ? `\0${id}` : undefined),
      load: (id) => (id === "\0hash:code" ? 'export default "this"' : undefined),
    },
  ],
  // A slow machine fails no test.
  test: { include: ["test/**/*.test.ts"], testTimeout: 60_000 },
});
