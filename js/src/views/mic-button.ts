/** The button that opens and closes the microphone. */
import type { Port } from "../port.ts";
import { button, setText } from "./dom.ts";

export function micButton(
  port: Port,
  signal: AbortSignal,
  start = "Start listening",
  stop = "Stop listening",
): HTMLButtonElement {
  const element = button(start, () => {
    if (port.micState === "off") void port.startMic();
    else port.stopMic();
  });
  element.classList.add("rt-primary", "rt-mic");
  const show = () => {
    setText(element, port.micState === "off" ? start : stop);
    element.setAttribute("aria-pressed", String(port.micState !== "off"));
    element.disabled = !port.welcomed || port.link.dead;
  };
  port.on("state", show, signal);
  show();
  return element;
}
