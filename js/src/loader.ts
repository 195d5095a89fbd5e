/**
 * The part of the front end that is state: it asks the kernel for the rest and hands over to it.
 *
 * Every saved notebook holds this file once a widget, so it stays tiny and imports types only. The code itself
 * comes as a message, at most once a page and content: all widgets of the page share what the first one got.
 */

import CODE_HASH from "hash:code";
import type { AnyModel, InitializeProps, RenderProps } from "@anywidget/types";
import type { FrontEnd } from "./index.ts";
import type { Traits } from "./link.ts";
import type { Message, ToKernel } from "./protocol.ts";

interface Code {
  make: () => FrontEnd;
  sheet: CSSStyleSheet;
}

/** What the page has of one content: its code, once some kernel has sent it, and who waits for it. */
interface Shared {
  code?: Promise<Code>;
  waiting: Set<() => void>;
}

const WAITING = "Waiting for the kernel. Run this cell to start the widget.";
const UPDATED = "rt_notebook was updated meanwhile: restart the kernel, then run this cell again.";
const BLOCKED =
  "This page does not let the widget's code run: allow blob: in its script-src, or open JupyterLab itself.";

/** Runs the code from a blob: address, else data:, which other page policies allow. */
async function start([script, style]: DataView<ArrayBuffer>[]): Promise<Code> {
  const blob = new Blob([script!], { type: "text/javascript" });
  const url = URL.createObjectURL(blob);
  const run = async (address: string): Promise<Code["make"]> =>
    (await import(/* @vite-ignore */ address)).default;
  const make = await run(url)
    .catch(async (cause) => {
      const text = encodeURIComponent(await blob.text());
      // The second reason would hold all of the code.
      return run(`data:text/javascript;charset=utf-8,${text}`).catch(() => {
        throw new Error(BLOCKED, { cause });
      });
    })
    .finally(() => URL.revokeObjectURL(url));
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(new TextDecoder().decode(style));
  return { make, sheet };
}

/** Gives the code: the page's own, else what the kernel sends when asked, or unasked while it is busy. */
function load(model: AnyModel<Traits>, signal: AbortSignal): Promise<Code> {
  const page = globalThis as { rtNotebook?: Record<string, Shared> };
  page.rtNotebook ??= {};
  const shared = page.rtNotebook[CODE_HASH] ?? { waiting: new Set() };
  page.rtNotebook[CODE_HASH] = shared;
  return new Promise((resolve, reject) => {
    const send = (type: ToKernel) => {
      try {
        model.send({ type });
      } catch {
        // The kernel is gone; the view says so already.
      }
    };
    const receive = (message: Message, buffers: DataView<ArrayBuffer>[]) => {
      if (message?.type !== "code") return;
      if (message.hash !== CODE_HASH) {
        reject(new Error(UPDATED));
        return;
      }
      shared.code = start(buffers);
      for (const go of shared.waiting) go();
    };
    const stop = () => {
      model.off("msg:custom", receive);
      shared.waiting.delete(go);
    };
    const go = () => {
      stop();
      send("code.taken");
      resolve(shared.code!);
    };
    if (shared.code) {
      go();
    } else {
      shared.waiting.add(go);
      model.on("msg:custom", receive);
      signal.addEventListener("abort", stop);
      send("code.ask");
    }
  });
}

/** A style sheet goes into the page, or into the shadow tree that shows the view, once. */
function dress(el: HTMLElement, sheet: CSSStyleSheet): void {
  const root = el.getRootNode();
  const { adoptedStyleSheets } = root instanceof ShadowRoot ? root : document;
  if (!adoptedStyleSheets.includes(sheet)) adoptedStyleSheets.push(sheet);
}

export default () => {
  let front: Promise<[FrontEnd, CSSStyleSheet]>;
  return {
    // The notebook holds all messages back until this returns: it must not wait for one.
    initialize(props: InitializeProps<Traits>): void {
      front = load(props.model, props.signal).then(({ make, sheet }) => {
        const made = make();
        if (!props.signal.aborted) made.initialize(props);
        return [made, sheet];
      });
      front.catch(() => {}); // each view says it
    },
    render(props: RenderProps<Traits>): void {
      // A view that goes before the code comes is let go of.
      let view: typeof props | undefined = props;
      props.signal.addEventListener("abort", () => {
        view = undefined;
      });
      props.el.textContent = WAITING;
      front
        .then(([made, sheet]) => {
          if (!view) return;
          dress(view.el, sheet);
          view.el.textContent = "";
          made.render(view);
        })
        .catch((error) => {
          if (!view) return;
          view.el.textContent = error.message;
          console.error(error);
        });
    },
  };
};
