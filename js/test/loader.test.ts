import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { beforeEach, expect, test, vi } from "vitest";

type Loader = typeof import("../src/loader.ts").default;

/** A front end that writes down what is done with it; `made` counts how often its code was run. */
const CODE = `
globalThis.made = (globalThis.made ?? 0) + 1;
export default () => ({
  initialize({ model }) { model.did.push("initialize"); },
  render({ el, model }) { model.did.push("render"); el.textContent = "the widget"; },
});`;
const WAITING = "Waiting for the kernel. Run this cell to start the widget.";

const bytes = (text: string) => new DataView(new TextEncoder().encode(text).buffer as ArrayBuffer);

let fillers = 0;

/** Waits for imports that have begun: others, one after the other, take longer on any machine. */
async function settled() {
  for (let i = 0; i < 8; i++) {
    fillers += 1;
    await import(/* @vite-ignore */ `data:text/javascript,export default ${fillers}`);
  }
  await new Promise((done) => setTimeout(done, 20));
}

let answers = 0;

class Model {
  did: string[] = [];
  sent: string[] = [];
  listeners = new Set<(message: unknown, buffers: unknown) => void>();
  lives = new AbortController();
  dead = false;
  on(_name: string, listener: never) {
    this.listeners.add(listener);
  }
  off(_name: string, listener: never) {
    this.listeners.delete(listener);
  }
  send({ type }: { type: string }) {
    if (this.dead) throw new Error("Cannot send");
    this.sent.push(type);
  }
  answer(hash = "this", code = CODE) {
    answers += 1; // no two are the same text, so that whatever is run twice is counted twice
    const buffers = [bytes(`${code}// ${answers}`), bytes("p {}")];
    for (const listener of [...this.listeners]) listener({ type: "code", hash }, buffers);
  }
}

class Sheet {
  css = "";
  replaceSync(css: string) {
    this.css = css;
  }
}

class Shadow {
  adoptedStyleSheets: Sheet[] = [];
}

let make: Loader;
let page: { adoptedStyleSheets: Sheet[] };

beforeEach(async () => {
  page = { adoptedStyleSheets: [] };
  vi.stubGlobal("document", page);
  vi.stubGlobal("CSSStyleSheet", Sheet);
  vi.stubGlobal("ShadowRoot", Shadow);
  vi.stubGlobal("rtNotebook", undefined);
  vi.stubGlobal("made", 0);
  make = (await import("../src/loader.ts")).default;
});

function open(model = new Model()) {
  const widget = make();
  widget.initialize({ model, signal: model.lives.signal } as never);
  const show = (root: object = page) => {
    const gone = new AbortController();
    const el = { textContent: "", getRootNode: () => root };
    const signal = AbortSignal.any([gone.signal, model.lives.signal]);
    widget.render({ model, el, signal } as never);
    return { el, gone };
  };
  return { model, show };
}

test("the loader asks, runs what comes, and says that it has it", async () => {
  const { model, show } = open();
  const { el } = show();
  expect([el.textContent, model.sent]).toEqual([WAITING, ["code.ask"]]);
  model.answer();
  await settled();
  expect([el.textContent, model.did]).toEqual(["the widget", ["initialize", "render"]]);
  expect(model.sent).toEqual(["code.ask", "code.taken"]);
  expect(model.listeners.size).toBe(0);
  expect(page.adoptedStyleSheets.map(({ css }) => css)).toEqual(["p {}"]);
});

test("a view that comes later needs no second start", async () => {
  const { model, show } = open();
  model.answer();
  await settled();
  const views = [show(), show()];
  await settled();
  expect(views.map(({ el }) => el.textContent)).toEqual(["the widget", "the widget"]);
  expect(model.did).toEqual(["initialize", "render", "render"]);
});

test("the second widget asks for nothing, and the kernel hears that it need not offer", async () => {
  const first = open();
  first.model.answer();
  await settled();
  const second = open();
  const { el } = second.show();
  await settled();
  expect([el.textContent, second.model.sent]).toEqual(["the widget", ["code.taken"]]);
  expect([made(), page.adoptedStyleSheets.length]).toEqual([1, 1]);
});

test("widgets that wait together share the first answer; none depends on another's kernel", async () => {
  const widgets = [open(), open(), open()];
  const views = widgets.map(({ show }) => show());
  widgets[1]!.model.answer();
  widgets[2]!.model.answer();
  await settled();
  expect(views.map(({ el }) => el.textContent)).toEqual(Array(3).fill("the widget"));
  expect(widgets.map(({ model }) => model.did)).toEqual(Array(3).fill(["initialize", "render"]));
  expect(widgets.map(({ model }) => model.sent)).toEqual(Array(3).fill(["code.ask", "code.taken"]));
  expect([made(), page.adoptedStyleSheets.length]).toEqual([1, 1]);
});

test("a view that went before the code came stays untouched, and is let go of", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const { model, show } = open();
  const gone = (() => {
    const view = show();
    view.gone.abort();
    return new WeakRef(view.el);
  })();
  await settled();
  collect();
  expect(gone.deref()).toBeUndefined();
  const kept = show();
  model.answer();
  await settled();
  expect([kept.el.textContent, model.did]).toEqual(["the widget", ["initialize", "render"]]);
});

test("a widget that was closed before the code came never starts, and is let go of", async () => {
  const { model, show } = open();
  const { el } = show();
  model.lives.abort();
  expect(model.listeners.size).toBe(0);
  const other = open();
  other.model.answer();
  await settled();
  expect([el.textContent, model.did, model.sent]).toEqual([WAITING, [], ["code.ask"]]);
});

test("without a kernel one sentence stays, and nothing is thrown", async () => {
  const model = new Model();
  model.dead = true;
  const { el } = open(model).show();
  await settled();
  expect(el.textContent).toBe(WAITING);
});

test("the code of another version is refused with a sentence, and spoils nothing for others", async () => {
  const told = vi.spyOn(console, "error").mockImplementation(() => {});
  const { model, show } = open();
  const { el } = show();
  model.answer("other");
  await settled();
  expect(el.textContent).toContain("restart the kernel");
  expect([told.mock.calls.length, made()]).toEqual([1, 0]);
  const other = open();
  const view = other.show();
  other.model.answer();
  await settled();
  expect(view.el.textContent).toBe("the widget");
  told.mockRestore();
});

test("code that cannot start is one sentence in each view", async () => {
  const told = vi.spyOn(console, "error").mockImplementation(() => {});
  const { model, show } = open();
  const view = show();
  model.answer("this", "throw new Error('no such luck');");
  await settled();
  for (const { el } of [view, open().show()]) {
    await settled();
    expect(el.textContent).toMatch(/^This page does not let .* allow blob: in its script-src, .* itself\.$/);
  }
  expect(told.mock.calls.map(([error]) => error.cause)).toEqual([expect.any(Error), expect.any(Error)]);
  told.mockRestore();
});

test("a view in a shadow tree has its style there", async () => {
  const { model, show } = open();
  const shadow = new Shadow();
  show(shadow);
  model.answer();
  await settled();
  expect([shadow.adoptedStyleSheets.length, page.adoptedStyleSheets.length]).toEqual([1, 0]);
});

function made(): unknown {
  return (globalThis as { made?: number }).made;
}
