/** Microphone and speaker alone. */
import type { Port } from "../port.ts";
import { h } from "./dom.ts";
import { counts, frame, statusLine } from "./frame.ts";
import { meter } from "./meter.ts";
import { micButton } from "./mic-button.ts";

export function renderAudioPort(port: Port, el: HTMLElement, signal: AbortSignal): void {
  const root = frame(el, "audio-port");
  root.setAttribute("aria-label", "Microphone and speaker");
  root.append(
    h("div", { class: "rt-bar" }, micButton(port, signal), meter(port, signal)),
    statusLine(port, root, [], signal),
  );
  counts(port, root, signal);
}
