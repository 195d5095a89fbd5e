/** What all views share: the root element, the status line, the counts that tests read. */
import { follow } from "../follow.ts";
import type { Port } from "../port.ts";
import { h, setText } from "./dom.ts";
import { recorded, status } from "./status.ts";

/** Makes the root. Notebook shortcuts stay out of it, so that typing an "a" adds no cell. */
export function frame(el: HTMLElement, kind: string): HTMLElement {
  const root = h("section", { class: "rt-widget", "data-kind": kind, "data-lm-suppress-shortcuts": "true" });
  el.replaceChildren(root);
  return root;
}

export function statusLine(port: Port, root: HTMLElement, names: string[], signal: AbortSignal): HTMLElement {
  const words = h("span", { role: "status", "aria-live": "polite" });
  const tape = h("span", { class: "rt-recorded", role: "status" });
  const sign = h("span", { class: "rt-sign", "aria-hidden": "true" });
  const line = h("p", { class: "rt-status" }, sign, words, tape);
  const show = () => {
    const { text, kind } = status(port);
    setText(words, text);
    setText(tape, recorded(port));
    line.dataset.kind = kind;
    root.dataset.speaking = String(port.playback.speaking);
    root.dataset.mic = port.micState;
  };
  port.on("state", show, signal);
  follow(port.model, [...names, "problem"], show, signal);
  return line;
}

/** Keeps counts on the root, twice a second, for tests and for people who look under the hood. */
export function counts(port: Port, root: HTMLElement, signal: AbortSignal): void {
  const timer = setInterval(() => {
    root.dataset.micChunks = String(port.mic.chunks);
    root.dataset.micAcknowledged = String(port.mic.acknowledged);
    root.dataset.playedNonzeroSamples = String(port.playback.nonzeroSamples);
  }, 500);
  signal.addEventListener("abort", () => clearInterval(timer));
}
