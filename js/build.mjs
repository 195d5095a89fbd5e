// Builds what the Python package carries: the front end (all views, both worklets, no dependency), its style
// sheet, and the loader, which knows the hash of both.
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = resolve(here, "../src/rt_notebook/widgets/static");

/** `import code from "worklet:./x.ts"` gives the bundled source of a worklet as text. */
export const inlineWorklets = {
  name: "inline-worklets",
  setup(build) {
    build.onResolve({ filter: /^worklet:/ }, ({ path, resolveDir }) => ({
      path: resolve(resolveDir, path.slice("worklet:".length)),
      namespace: "worklet",
    }));
    build.onLoad({ filter: /.*/, namespace: "worklet" }, async ({ path }) => {
      const result = await esbuild.build({
        entryPoints: [path],
        bundle: true,
        minify: true,
        format: "iife",
        target: "es2022",
        write: false,
        metafile: true,
      });
      const watchFiles = Object.keys(result.metafile.inputs).map((file) => resolve(file));
      return { contents: result.outputFiles[0].text, loader: "text", watchFiles };
    });
  },
};

const copyTheme = {
  name: "copy-theme",
  setup(build) {
    build.onEnd(() => copyFileSync(resolve(here, "src/theme.css"), resolve(out, "widget.css")));
  },
};

/** `import hash from "hash:code"` gives the hash of what is built already; widgets/port/code_line.py names the same. */
const hashCode = {
  name: "hash-code",
  setup(build) {
    build.onResolve({ filter: /^hash:code$/ }, ({ path }) => ({ path, namespace: "hash" }));
    build.onLoad({ filter: /.*/, namespace: "hash" }, () => {
      const watchFiles = ["widget.js", "widget.css"].map((name) => resolve(out, name));
      const hash = createHash("sha256");
      for (const file of watchFiles) hash.update(readFileSync(file));
      return { contents: hash.digest("hex").slice(0, 16), loader: "text", watchFiles };
    });
  },
};

mkdirSync(out, { recursive: true });
const options = (source, built, plugins) => ({
  entryPoints: [resolve(here, "src", source)],
  outfile: resolve(out, built),
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  plugins,
});
// In this order: the loader is built from what the first one has written.
const builds = [
  options("index.ts", "widget.js", [inlineWorklets, copyTheme]),
  options("loader.ts", "loader.js", [hashCode]),
];
for (const build of builds) {
  await esbuild.build(build);
  if (process.argv.includes("--watch")) await (await esbuild.context(build)).watch();
}
