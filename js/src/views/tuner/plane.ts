/** The plane: one metric for every threshold and silence duration, with the present setting on it. */
import type { Plane, Tuner } from "../../tuner/tuner.ts";
import { beforeNextFrame, h, newId, setText } from "../dom.ts";
import { onTheme } from "./picture.ts";

const HEIGHT = 216;
const LEFT = 34;
const BOTTOM = 22;
const TOP = 6;
/** From dark to light, told apart by every kind of colour vision and without colour too. */
const RAMP = [
  [0, 32, 81],
  [43, 68, 110],
  [87, 92, 109],
  [127, 124, 117],
  [173, 160, 109],
  [222, 200, 82],
  [253, 234, 69],
] as const;
const NAMES: Record<string, [string, string]> = {
  cost: ["Cost", ""],
  turns_per_min: ["Turns a minute", ""],
  speech_s_per_min: ["Speech a minute", "s"],
  sent_s_per_min: ["Audio sent a minute", "s"],
  false_cutoff_rate: ["Cut-off turns", "%"],
  split_rate: ["Splits per turn", "%"],
  swallowed_rate: ["Swallowed turns", "%"],
  miss_rate: ["Missed turns", "%"],
  false_starts_per_min: ["False starts a minute", ""],
  endpoint_latency_mean_ms: ["Mean wait", "ms"],
  endpoint_latency_p50_ms: ["Median wait", "ms"],
  endpoint_latency_p90_ms: ["Wait, 90th percentile", "ms"],
  clipped_rate: ["Clipped beginnings", "%"],
  clipped_mean_ms: ["Clipped on average", "ms"],
  noise_s_per_min: ["Noise sent a minute", "s"],
};
const SCORED = [
  "false_cutoff_rate",
  "swallowed_rate",
  "miss_rate",
  "false_starts_per_min",
  "endpoint_latency_p50_ms",
  "clipped_rate",
];

export function metricName(metric: string): string {
  return NAMES[metric]?.[0] ?? metric;
}

/** A value for people; a dash where there is none. */
export function metricWords(metric: string, value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const unit = NAMES[metric]?.[1] ?? "";
  if (unit === "%") return `${Math.round(100 * value)} %`;
  if (unit === "ms") return `${Math.round(value)} ms`;
  return `${value.toFixed(value < 10 ? 2 : 1)}${unit && ` ${unit}`}`;
}

export function colourAt(share: number): [number, number, number] {
  const at = Math.min(Math.max(share, 0), 1) * (RAMP.length - 1);
  const low = RAMP[Math.floor(at)]!;
  const high = RAMP[Math.ceil(at)]!;
  const mix = (channel: 0 | 1 | 2) => Math.round(low[channel] + (high[channel] - low[channel]) * (at % 1));
  return [mix(0), mix(1), mix(2)];
}

/**
 * The lowest value, that below which nine tenths lie, and the highest; zeros where there is none.
 *
 * Colours end at the second: a few hopeless settings would else make all others look alike.
 */
export function rangeOf(values: Float32Array): [number, number, number] {
  const known = values.filter((value) => !Number.isNaN(value)).sort();
  if (known.length === 0) return [0, 0, 0];
  return [known[0]!, known[Math.floor(0.9 * (known.length - 1))]!, known.at(-1)!];
}

/** Where a value lies on an axis of cells of one width, between their middles; in cells from the left. */
export function placeOn(axis: number[], value: number): number {
  const next = axis.findIndex((each) => each >= value);
  if (next === -1) return axis.length - 0.5;
  if (next === 0) return 0.5;
  const [below, above] = [axis[next - 1]!, axis[next]!];
  return next - 0.5 + (value - below) / (above - below);
}

function paint(canvas: HTMLCanvasElement, tuner: Tuner, plane: Plane): void {
  const { threshold, silence_duration_ms: silences, values } = plane;
  const width = canvas.clientWidth;
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(HEIGHT * ratio);
  const context = canvas.getContext("2d")!;
  context.scale(ratio, ratio);
  const style = getComputedStyle(canvas);
  const cell = {
    width: (width - LEFT) / silences.length,
    height: (HEIGHT - BOTTOM - TOP) / threshold.length,
  };
  const x = (column: number) => LEFT + column * cell.width;
  const y = (row: number) => HEIGHT - BOTTOM - row * cell.height;
  const [low, high] = rangeOf(values);
  for (let row = 0; row < threshold.length; row += 1) {
    for (let column = 0; column < silences.length; column += 1) {
      const value = values[row * silences.length + column]!;
      if (Number.isNaN(value)) continue;
      context.fillStyle = `rgb(${colourAt(high > low ? (value - low) / (high - low) : 0).join(" ")})`;
      // On whole pixels, so that no ground shines through between cells.
      const [left, top] = [Math.round(x(column)), Math.round(y(row + 1))];
      context.fillRect(left, top, Math.round(x(column + 1)) - left, Math.round(y(row)) - top);
    }
  }
  context.fillStyle = style.color;
  context.font = `11px ${style.fontFamily}`;
  context.textBaseline = "middle";
  context.textAlign = "end";
  for (const level of [0.1, 0.3, 0.5, 0.7, 0.9])
    context.fillText(String(level), LEFT - 5, y(placeOn(threshold, level)));
  context.textBaseline = "top";
  context.textAlign = "center";
  for (const silence of [200, 500, 1000, 2000]) {
    const words = silence === 2000 ? "2000 ms" : String(silence);
    const middle = x(placeOn(silences, silence));
    context.fillText(
      words,
      Math.min(middle, width - context.measureText(words).width / 2),
      HEIGHT - BOTTOM + 6,
    );
  }
  const { settings } = tuner;
  if (!settings) return;
  const at = x(placeOn(silences, settings.silence_duration_ms));
  for (const [colour, line] of [
    ["#000", 5],
    ["#fff", 2.5],
  ] as const) {
    context.strokeStyle = colour;
    context.lineWidth = line;
    context.beginPath();
    context.arc(at, y(placeOn(threshold, settings.threshold)), 7, 0, 2 * Math.PI);
    context.stroke();
  }
}

export function tunerPlane(tuner: Tuner, signal: AbortSignal): HTMLElement {
  const id = newId("metric");
  const select = h("select", { id });
  const canvas = h("canvas", { class: "rt-tuner-plane-canvas", role: "img" });
  const scale = h("div", { class: "rt-tuner-scale", "aria-hidden": "true" });
  const [least, most] = [h("span", {}), h("span", {})];
  const bar = h("i", {});
  bar.style.background = `linear-gradient(to right, ${RAMP.map((each) => `rgb(${each.join(" ")})`).join(", ")})`;
  scale.append(least, bar, most);
  const here = h("p", { class: "rt-hint" });
  const scores = h("dl", { class: "rt-tuner-scores" });

  const draw = () => {
    const { plane } = tuner;
    if (plane && canvas.clientWidth > LEFT) paint(canvas, tuner, plane);
  };
  const soon = beforeNextFrame(draw);
  const show = () => {
    const { plane } = tuner;
    root.hidden = !plane;
    if (!plane) return;
    const { metric, metrics, score } = plane;
    if (select.options.length !== metrics.length || document.activeElement !== select) {
      select.replaceChildren(...metrics.map((name) => h("option", { value: name }, metricName(name))));
      select.value = metric;
    }
    const [low, high, highest] = rangeOf(plane.values);
    setText(least, metricWords(metric, low));
    setText(most, `${high < highest ? "≥ " : ""}${metricWords(metric, high)}`);
    const words = `${metricWords(metric, score[metric])} at these settings`;
    setText(here, `${words}. Click into the plane to choose others.`);
    canvas.setAttribute(
      "aria-label",
      `${metricName(metric)} for every threshold and silence duration: ${words}, ` +
        `${metricWords(metric, low)} to ${metricWords(metric, highest)} elsewhere`,
    );
    const shown = SCORED.filter((name) => name in score);
    scores.hidden = shown.length === 0;
    scores.replaceChildren(
      ...shown.map((name) =>
        h("div", {}, h("dt", {}, metricName(name)), h("dd", {}, metricWords(name, score[name]))),
      ),
    );
    soon();
  };
  select.addEventListener("change", () => tuner.set({ metric: select.value }));
  canvas.addEventListener("click", (event) => {
    const { plane } = tuner;
    if (!plane) return;
    const box = canvas.getBoundingClientRect();
    const across = (event.clientX - box.left - LEFT) / (box.width - LEFT);
    const up = (HEIGHT - BOTTOM - (event.clientY - box.top)) / (HEIGHT - BOTTOM - TOP);
    const pick = (axis: number[], share: number) =>
      axis[Math.min(Math.max(Math.floor(share * axis.length), 0), axis.length - 1)]!;
    tuner.set({
      threshold: pick(plane.threshold, up),
      silence_duration_ms: pick(plane.silence_duration_ms, across),
    });
  });
  const root = h(
    "div",
    { class: "rt-tuner-plane" },
    h("div", { class: "rt-tuner-metric" }, h("label", { for: id }, "Plane of"), select),
    canvas,
    h("p", { class: "rt-tuner-axes", "aria-hidden": "true" }, "threshold ↑, silence duration →"),
    scale,
    here,
    scores,
  );
  tuner.on("plane", show, signal);
  tuner.on("sound", show, signal);
  tuner.on("turns", soon, signal);
  onTheme(soon, signal);
  const resized = new ResizeObserver(soon);
  resized.observe(canvas);
  signal.addEventListener("abort", () => resized.disconnect());
  show();
  return root;
}
