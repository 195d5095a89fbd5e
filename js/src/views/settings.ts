/** What the session is told. A change acts on the running session; what the endpoint applied is shown. */
import { follow } from "../follow.ts";
import type { Port } from "../port.ts";
import { debounce, h, newId, setText } from "./dom.ts";

interface Dial {
  name: string;
  label: string;
  unit: string;
  min: number;
  max: number;
  step: number;
  usual: number;
  hint: string;
}

const DIALS: Dial[] = [
  {
    name: "threshold",
    label: "Threshold",
    unit: "",
    min: 0,
    max: 1,
    step: 0.05,
    usual: 0.5,
    hint: "Higher needs clearer speech; too high misses quiet speakers.",
  },
  {
    name: "prefix_padding_ms",
    label: "Prefix padding",
    unit: "ms",
    min: 0,
    max: 2000,
    step: 50,
    usual: 300,
    hint: "Audio kept from before you were heard to start.",
  },
  {
    name: "silence_duration_ms",
    label: "Silence duration",
    unit: "ms",
    min: 100,
    max: 2000,
    step: 50,
    usual: 500,
    hint: "Longer cuts you off less often and adds directly to the wait.",
  },
];

const VOICES = ["alloy", "ash", "ballad", "cedar", "coral", "echo", "marin", "sage", "shimmer", "verse"];
const SEND_AFTER_MS = 300;

function dial(port: Port, spec: Dial, signal: AbortSignal): HTMLElement {
  const id = newId(spec.name);
  const limits = { min: spec.min, max: spec.max, step: spec.step };
  const slider = h("input", { type: "range", id, ...limits, "aria-describedby": `${id}-hint` });
  const number = h("input", {
    type: "number",
    ...limits,
    "aria-label": `${spec.label}${spec.unit && ` in ${spec.unit}`}`,
  });
  const applied = h("span", { class: "rt-applied" });
  const reset = h("button", { type: "button", class: "rt-link", hidden: true }, `back to ${spec.usual}`);
  const send = debounce(
    () => port.action("set", { changes: { [spec.name]: Number(number.value) } }),
    SEND_AFTER_MS,
  );

  const entered = (value: string) => {
    if (value === "" || Number.isNaN(Number(value))) return;
    const within = Math.min(spec.max, Math.max(spec.min, Number(value)));
    slider.value = String(within);
    number.value = String(within);
    reset.hidden = within === spec.usual;
    send();
  };
  slider.addEventListener("input", () => entered(slider.value));
  number.addEventListener("change", () => entered(number.value));
  reset.addEventListener("click", () => entered(String(spec.usual)));

  const show = () => {
    const value = String(port.model.get(spec.name));
    slider.value = value;
    number.value = value;
    reset.hidden = Number(value) === spec.usual;
    const inForce = (port.model.get("applied") as Record<string, number> | undefined)?.[spec.name];
    setText(applied, inForce === undefined ? "" : `applied: ${inForce}${spec.unit && ` ${spec.unit}`}`);
  };
  follow(port.model, [spec.name, "applied"], show, signal);
  return h(
    "div",
    { "data-name": spec.name },
    h("label", { for: id }, spec.label),
    h("div", { class: "rt-dial-row" }, slider, number, h("span", { class: "rt-unit" }, spec.unit)),
    h("p", { class: "rt-hint", id: `${id}-hint` }, `${spec.hint} `, applied, " ", reset),
  );
}

function voiceField(port: Port, signal: AbortSignal): HTMLElement {
  const id = newId("voice");
  const input = h("input", {
    id,
    type: "text",
    list: `${id}-list`,
    autocomplete: "off",
    spellcheck: "false",
  });
  const list = h("datalist", { id: `${id}-list` }, ...VOICES.map((name) => h("option", { value: name })));
  input.addEventListener(
    "change",
    () => input.value && port.action("set", { changes: { voice: input.value } }),
  );
  const show = () => {
    input.value = String(port.model.get("voice") ?? "");
  };
  follow(port.model, ["voice"], show, signal);
  const hint = h("p", { class: "rt-hint" }, "Fixed once the assistant has spoken.");
  return h("div", {}, h("label", { for: id }, "Voice"), input, list, hint);
}

function temperatureField(port: Port, signal: AbortSignal): HTMLElement {
  const id = newId("temperature");
  const input = h("input", {
    id,
    type: "number",
    min: 0.6,
    max: 1.2,
    step: 0.05,
    "aria-describedby": `${id}-hint`,
  });
  const hint = h("p", { class: "rt-hint", id: `${id}-hint` });
  input.addEventListener("change", () => {
    const value = input.value === "" ? null : Math.min(1.2, Math.max(0.6, Number(input.value)));
    port.action("set", { changes: { temperature: value } });
  });
  const show = () => {
    const preview = port.model.get("dialect") === "preview";
    input.disabled = !preview;
    const value = port.model.get("temperature");
    input.value = value === null || value === undefined ? "" : String(value);
    setText(
      hint,
      preview
        ? "0.6 to 1.2; empty leaves it to the endpoint."
        : "Only endpoints of the preview dialect take it.",
    );
  };
  follow(port.model, ["temperature", "dialect"], show, signal);
  return h("div", {}, h("label", { for: id }, "Temperature"), input, hint);
}

function instructionsField(port: Port, signal: AbortSignal): HTMLElement {
  const id = newId("instructions");
  const input = h("textarea", { id, rows: 2, placeholder: "You are a helpful assistant." });
  const send = debounce(() => port.action("set", { changes: { instructions: input.value } }), 800);
  input.addEventListener("input", send);
  const show = () => {
    const value = String(port.model.get("instructions") ?? "");
    if (input.getRootNode() instanceof Document && document.activeElement === input) return;
    input.value = value;
  };
  follow(port.model, ["instructions"], show, signal);
  return h("div", { class: "rt-wide" }, h("label", { for: id }, "Instructions"), input);
}

export function settings(port: Port, signal: AbortSignal): HTMLElement {
  const dials = DIALS.map((spec) => dial(port, spec, signal));
  const fields = [instructionsField(port, signal), voiceField(port, signal), temperatureField(port, signal)];
  const off = h("p", { class: "rt-hint rt-wide" });
  const showOff = () => {
    const kind = port.model.get("turn_detection");
    const isServerVad = kind === "server_vad";
    for (const element of dials) {
      for (const input of element.querySelectorAll("input")) input.disabled = !isServerVad;
    }
    setText(
      off,
      isServerVad
        ? ""
        : `These three belong to server_vad; this session uses ${kind ?? "no turn detection"}.`,
    );
    off.hidden = isServerVad;
  };
  follow(port.model, ["turn_detection"], showOff, signal);
  return h(
    "details",
    { class: "rt-panel", open: true },
    h("summary", {}, "Settings"),
    h("div", { class: "rt-settings" }, ...fields),
    h("div", { class: "rt-settings rt-dials" }, ...dials, off),
  );
}
