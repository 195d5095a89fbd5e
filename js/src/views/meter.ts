/** The level of the microphone: a bar on a dB scale with a held peak. */
import type { Port } from "../port.ts";
import { h, setText } from "./dom.ts";

const FLOOR_DBFS = -60;
const PEAK_FALL_DB = 1.2;
const SAY_EVERY_MS = 1_000;

export function meter(port: Port, signal: AbortSignal): HTMLElement {
  const bar = h("div", { class: "rt-meter-bar" });
  const peak = h("div", { class: "rt-meter-peak" });
  const value = h("span", { class: "rt-meter-value", "aria-hidden": "true" });
  const track = h(
    "div",
    {
      class: "rt-meter",
      role: "meter",
      "aria-label": "Microphone level in dBFS",
      "aria-valuemin": FLOOR_DBFS,
      "aria-valuemax": 0,
      "aria-valuenow": FLOOR_DBFS,
      "aria-valuetext": "off",
    },
    bar,
    peak,
  );
  const root = h("div", { class: "rt-meter-row" }, track, value);
  let held_dbfs = FLOOR_DBFS;
  let said_ms = 0;

  const show = () => {
    const on = port.micState === "on";
    const level = Math.max(FLOOR_DBFS, Math.min(0, port.level_dbfs));
    held_dbfs = on ? Math.max(level, held_dbfs - PEAK_FALL_DB) : FLOOR_DBFS;
    bar.style.transform = `scaleX(${1 - level / FLOOR_DBFS})`;
    peak.style.insetInlineStart = `${100 * (1 - held_dbfs / FLOOR_DBFS)}%`;
    root.classList.toggle("rt-on", on);
    root.classList.toggle("rt-clipped", on && port.clipped);
    const now_ms = performance.now();
    if (on && now_ms - said_ms < SAY_EVERY_MS) return;
    said_ms = now_ms;
    setText(value, on ? `${Math.round(level)} dB` : "");
    track.setAttribute("aria-valuenow", String(Math.round(level)));
    track.setAttribute("aria-valuetext", on ? `${Math.round(level)} dBFS` : "off");
  };
  port.on("level", show, signal);
  show();
  return root;
}
