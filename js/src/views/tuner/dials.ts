/** The four settings. Each is a native slider with a number beside it. */
import type { Settings, Tuner } from "../../tuner/tuner.ts";
import { h, newId } from "../dom.ts";

interface Dial {
  name: keyof Settings;
  label: string;
  unit: string;
  max: number;
  step: number;
  hint: string;
}

const DIALS: Dial[] = [
  {
    name: "threshold",
    label: "Threshold",
    unit: "",
    max: 1,
    step: 0.01,
    hint: "Too high misses quiet speech, too low hears noise.",
  },
  {
    name: "silence_duration_ms",
    label: "Silence duration",
    unit: "ms",
    max: 2000,
    step: 10,
    hint: "Too short cuts off who pauses; too long makes everybody wait.",
  },
  {
    name: "prefix_padding_ms",
    label: "Prefix padding",
    unit: "ms",
    max: 1000,
    step: 10,
    hint: "Too little clips the first sound; it changes no decision.",
  },
  {
    name: "exit_threshold",
    label: "Exit threshold",
    unit: "",
    max: 1,
    step: 0.01,
    hint: "The server's own: it cannot be set, only assumed.",
  },
];

function dial(tuner: Tuner, spec: Dial, signal: AbortSignal): HTMLElement {
  const id = newId(spec.name);
  const limits = { min: 0, max: spec.max, step: spec.step };
  const slider = h("input", { type: "range", id, ...limits, "aria-describedby": `${id}-hint` });
  const label = spec.unit ? `${spec.label} in ${spec.unit}` : spec.label;
  const number = h("input", { type: "number", ...limits, "aria-label": label });
  const automatic = h("input", { type: "checkbox", id: `${id}-auto` });
  const turn = (value: string) => {
    if (value === "" || Number.isNaN(Number(value))) return show();
    tuner.set({ [spec.name]: Math.min(Math.max(Number(value), 0), spec.max) });
  };
  const show = () => {
    const { settings } = tuner;
    if (!settings) return;
    const value = settings[spec.name] ?? tuner.leave;
    const words = String(spec.unit ? value : Number(value.toFixed(2)));
    if (Number(slider.value) !== value) slider.value = words;
    // Not under the fingers of whoever types.
    if (number.value !== words && document.activeElement !== number) number.value = words;
    automatic.checked = settings.exit_threshold === null;
  };
  slider.addEventListener("input", () => turn(slider.value));
  number.addEventListener("change", () => turn(number.value));
  automatic.addEventListener("change", () =>
    tuner.set({ exit_threshold: automatic.checked ? null : Number(tuner.leave.toFixed(2)) }),
  );
  tuner.on("turns", show, signal);
  show();
  const parts: Node[] = [
    h("label", { for: id }, spec.label),
    h("div", { class: "rt-dial-row" }, slider, number, h("span", { class: "rt-unit" }, spec.unit)),
    h("p", { class: "rt-hint", id: `${id}-hint` }, spec.hint),
  ];
  if (spec.name === "exit_threshold")
    parts.push(
      h(
        "div",
        { class: "rt-check" },
        automatic,
        h("label", { for: `${id}-auto` }, "0.15 below the threshold"),
      ),
    );
  return h("div", { "data-name": spec.name }, ...parts);
}

export function tunerDials(tuner: Tuner, signal: AbortSignal): HTMLElement {
  return h("div", { class: "rt-tuner-dials" }, ...DIALS.map((spec) => dial(tuner, spec, signal)));
}
