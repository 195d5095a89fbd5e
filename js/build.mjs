// Builds the one file that the Python package carries: all views, both worklets and no dependency.
import { copyFileSync, mkdirSync } from "node:fs";
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

mkdirSync(out, { recursive: true });
const options = {
  entryPoints: [resolve(here, "src/index.ts")],
  outfile: resolve(out, "widget.js"),
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  plugins: [inlineWorklets, copyTheme],
};
if (process.argv.includes("--watch")) {
  await (await esbuild.context(options)).watch();
} else {
  await esbuild.build(options);
}
