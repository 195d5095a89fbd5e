/** A conversation: talk, type, watch it happen, turn the dials. */
import { follow } from "../follow.ts";
import type { Port } from "../port.ts";
import { callCards } from "./calls.ts";
import { button, h, newId, setText } from "./dom.ts";
import { eventList } from "./events.ts";
import { counts, frame, statusLine } from "./frame.ts";
import { meter } from "./meter.ts";
import { micButton } from "./mic-button.ts";
import { settings } from "./settings.ts";
import { transcript } from "./transcript.ts";

function header(port: Port, signal: AbortSignal): HTMLElement {
  const badge = h("span", { class: "rt-badge" });
  const components = h("p", { class: "rt-components" });
  const end = button("End session", () => port.action("end"), { class: "rt-button rt-quiet" });
  const show = () => {
    setText(badge, String(port.model.get("endpoint_label") ?? ""));
    setText(components, String(port.model.get("components") ?? ""));
    components.hidden = components.textContent === "";
    end.hidden = port.model.get("session_started") !== true;
  };
  follow(port.model, ["endpoint_label", "components", "session_started"], show, signal);
  return h(
    "header",
    {},
    h("div", { class: "rt-title" }, h("h3", {}, "Playground"), badge, h("span", { class: "rt-space" }), end),
    components,
  );
}

/** A field and a button, and no form: notebooks keep forms in their outputs from being submitted. */
function typing(port: Port): HTMLElement {
  const id = newId("type");
  const input = h("input", {
    id,
    type: "text",
    placeholder: "Type instead of speaking",
    autocomplete: "off",
  });
  const send = () => {
    const text = input.value.trim();
    if (!text) return;
    port.action("say", { text });
    input.value = "";
  };
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.isComposing) send();
  });
  return h(
    "div",
    { class: "rt-type" },
    h("label", { for: id, class: "rt-sr-only" }, "Message"),
    input,
    button("Send", send),
  );
}

export function renderPlayground(port: Port, el: HTMLElement, signal: AbortSignal): void {
  const root = frame(el, "playground");
  root.setAttribute("aria-label", "Voice playground");
  const mic = micButton(port, signal);
  const voice = button("Try with the built-in voice", () => port.action("try_voice"));
  const interrupt = button("Interrupt", () => port.interrupt(), { "aria-keyshortcuts": "Escape" });
  const show = () => {
    const alive = port.welcomed && !port.link.dead;
    const talking =
      port.playback.speaking || ["thinking", "speaking"].includes(String(port.model.get("phase")));
    voice.disabled = !alive;
    interrupt.disabled = !alive || !talking;
  };
  port.on("state", show, signal);
  follow(port.model, ["phase"], show, signal);
  root.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !interrupt.disabled) {
      event.preventDefault();
      port.interrupt();
    }
  });
  root.append(
    header(port, signal),
    h("div", { class: "rt-bar" }, mic, voice, interrupt, meter(port, signal)),
    statusLine(port, root, ["phase", "session_started", "recorded"], signal),
    transcript(port, signal),
    callCards(port, signal),
    typing(port),
    settings(port, signal),
    eventList(port, signal),
  );
  counts(port, root, signal);
}
