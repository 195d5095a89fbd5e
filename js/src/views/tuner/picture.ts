/** The picture: waveform, probability, turns. Drag to move along, or to mark; click a turn to look at it. */

import {
  type Colours,
  drawDecisions,
  drawSound,
  GUTTER,
  HEIGHT,
  MARKS,
  timeWords,
} from "../../tuner/draw.ts";
import type { Tuner } from "../../tuner/tuner.ts";
import { beforeNextFrame, button, h, setText } from "../dom.ts";

const STILL_PX = 4;
const LEGEND = [
  ["speech", "speech"],
  ["padding", "prefix padding"],
  ["silence", "silence wait"],
  ["threshold", "threshold"],
  ["exit", "exit threshold"],
] as const;

/** The colours of the page as it is now: a theme may change at any time. */
function coloursOf(element: HTMLElement): Colours {
  const style = getComputedStyle(element);
  // Through `color`, which gives mixtures of other colours as one that a canvas knows.
  const value = (name: string) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const probe = h("span", { hidden: true });
  element.append(probe);
  const colours = {
    ink: value("--rt-fg"),
    dim: value("--rt-dim"),
    line: value("--rt-line"),
    now: value("--rt-user"),
    level: value("--rt-assistant"),
    bad: value("--rt-bad"),
    font: style.fontFamily,
  };
  probe.remove();
  return colours;
}

/** Calls `callback` whenever the theme changes. */
export function onTheme(callback: () => void, signal: AbortSignal): void {
  const observer = new MutationObserver(callback);
  observer.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "class"] });
  signal.addEventListener("abort", () => observer.disconnect());
}

export function tunerPicture(tuner: Tuner, signal: AbortSignal): HTMLElement {
  const canvas = h("canvas", {
    class: "rt-tuner-canvas",
    tabindex: 0,
    role: "img",
    "aria-label": "Waveform, speech probability and turns",
  });
  const under = document.createElement("canvas");
  const context = canvas.getContext("2d")!;
  const below = under.getContext("2d")!;
  let colours: Colours | undefined;
  let stale = true;

  const draw = () => {
    const { sound } = tuner;
    const width = canvas.clientWidth;
    if (!sound || width < GUTTER + 20) return;
    const ratio = window.devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(HEIGHT * ratio)) {
      for (const each of [canvas, under]) {
        each.width = Math.round(width * ratio);
        each.height = Math.round(HEIGHT * ratio);
      }
      stale = true;
    }
    colours ??= coloursOf(canvas.parentElement!);
    if (stale) {
      below.setTransform(ratio, 0, 0, ratio, 0, 0);
      below.clearRect(0, 0, width, HEIGHT);
      drawSound(below, sound, tuner.view, width, colours);
      stale = false;
    }
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(under, 0, 0);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    drawDecisions(context, tuner, width, colours);
    canvas.dataset.drawn = String(Number(canvas.dataset.drawn ?? 0) + 1);
  };
  const soon = beforeNextFrame(draw);
  const anew = () => {
    stale = true;
    soon();
  };
  tuner.on("sound", anew, signal);
  tuner.on("view", anew, signal);
  tuner.on("turns", soon, signal);
  tuner.on("labels", soon, signal);
  onTheme(() => {
    colours = undefined;
    anew();
  }, signal);
  const resized = new ResizeObserver(soon);
  resized.observe(canvas);
  signal.addEventListener("abort", () => resized.disconnect());

  const empty = h("p", { class: "rt-empty" }, "Nothing to look at yet.");
  const showEmpty = () => {
    empty.hidden = (tuner.sound?.duration_ms ?? 0) > 0;
    canvas.hidden = !empty.hidden;
  };
  tuner.on("sound", showEmpty, signal);
  showEmpty();

  const wrong = h("span", { class: "rt-tuner-wrong" }, "✂ cut off   ? nobody spoke");
  const legend = h(
    "p",
    { class: "rt-tuner-legend", "aria-hidden": "true" },
    ...LEGEND.map(([kind, words]) => h("span", {}, h("i", { class: `rt-swatch rt-swatch-${kind}` }), words)),
    wrong,
  );
  const showWrong = () => {
    wrong.hidden = tuner.labels.length === 0;
  };
  tuner.on("labels", showWrong, signal);
  showWrong();
  const readout = h("span", { class: "rt-tuner-readout", "aria-hidden": "true" });
  point(tuner, canvas, readout);
  keys(tuner, canvas);
  return h(
    "div",
    { class: "rt-tuner-picture" },
    canvas,
    empty,
    h("div", { class: "rt-tuner-under" }, legend, readout),
  );
}

function at(tuner: Tuner, time_ms: number): string {
  return timeWords(time_ms / 1000, 2, (tuner.sound?.duration_ms ?? 0) / 1000);
}

function timeAt(tuner: Tuner, canvas: HTMLElement, clientX: number): number {
  const box = canvas.getBoundingClientRect();
  const share = (clientX - box.left - GUTTER) / Math.max(box.width - GUTTER, 1);
  const { start_ms, end_ms } = tuner.view;
  const time_ms = start_ms + Math.min(Math.max(share, 0), 1) * (end_ms - start_ms);
  return Math.min(time_ms, tuner.sound?.duration_ms ?? time_ms);
}

function point(tuner: Tuner, canvas: HTMLCanvasElement, readout: HTMLElement): void {
  let from: { x: number; time_ms: number; view: Tuner["view"] } | undefined;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    from = { x: event.clientX, time_ms: timeAt(tuner, canvas, event.clientX), view: tuner.view };
  });
  canvas.addEventListener("pointermove", (event) => {
    const time_ms = timeAt(tuner, canvas, event.clientX);
    const { sound } = tuner;
    const step = sound?.probabilities[Math.floor(time_ms / sound.hop_ms)];
    setText(readout, step === undefined ? "" : `${at(tuner, time_ms)} · p = ${(step / 255).toFixed(2)}`);
    if (!from || tuner.marking || Math.abs(event.clientX - from.x) < STILL_PX) return;
    const width = Math.max(canvas.clientWidth - GUTTER, 1);
    const by_ms = ((from.x - event.clientX) / width) * (from.view.end_ms - from.view.start_ms);
    tuner.look(from.view.start_ms + by_ms, from.view.end_ms + by_ms);
  });
  canvas.addEventListener("pointerup", (event) => {
    if (!from) return;
    const still = Math.abs(event.clientX - from.x) < STILL_PX;
    const time_ms = timeAt(tuner, canvas, event.clientX);
    const low = event.clientY - canvas.getBoundingClientRect().top > MARKS.top + MARKS.height + 4;
    if (!still && tuner.marking) tuner.mark(from.time_ms, time_ms);
    else if (still && tuner.marking && !low)
      tuner.setMarks(tuner.labels.filter(([a, b]) => time_ms < a || time_ms > b));
    else if (still) tuner.select(time_ms);
    from = undefined;
  });
  canvas.addEventListener("pointercancel", () => {
    from = undefined;
  });
  canvas.addEventListener("pointerleave", () => setText(readout, ""));
}

function keys(tuner: Tuner, canvas: HTMLCanvasElement): void {
  const does: Record<string, () => void> = {
    ArrowLeft: () => tuner.pan(-0.2),
    ArrowRight: () => tuner.pan(0.2),
    "+": () => tuner.zoom(0.5),
    "=": () => tuner.zoom(0.5),
    "-": () => tuner.zoom(2),
    Home: () => tuner.look(0, tuner.sound?.duration_ms ?? 0),
  };
  canvas.addEventListener("keydown", (event) => {
    const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : does[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}

/** Which part is looked at, and which turn; whoever has no mouse steps through them here. */
export function tunerSteps(tuner: Tuner, signal: AbortSignal): HTMLElement {
  const step = (by: 1 | -1) => {
    const { turns, selected } = tuner;
    if (turns.length === 0) return;
    const place = selected.now ? turns.indexOf(selected.now) + by : by > 0 ? 0 : turns.length - 1;
    const next = turns[Math.min(Math.max(place, 0), turns.length - 1)]!;
    tuner.select((next.start_ms + (next.end_ms ?? tuner.sound!.duration_ms)) / 2);
  };
  const words = h("span", { class: "rt-tuner-turn", role: "status", "aria-live": "polite" });
  const hear = (which: "before" | "now") => () => {
    const turn = tuner.selected[which];
    if (turn)
      tuner.port.action("play", {
        start_ms: turn.start_ms,
        end_ms: turn.end_ms ?? Math.round(tuner.sound?.duration_ms ?? 0),
      });
  };
  const hearBefore = button("▶ before", hear("before"), { "aria-label": "Hear the turn as it was before" });
  const hearNow = button("▶ now", hear("now"), { "aria-label": "Hear the turn at these settings" });
  const show = () => {
    const { now, before } = tuner.selected;
    const count = tuner.turns.length;
    const silent = !tuner.sound || tuner.sound.bounds.length === 0;
    hearBefore.disabled = silent || !before;
    hearNow.disabled = silent || !now;
    setText(hearBefore, `▶ ${tuner.sound?.before_name.toLowerCase() ?? "before"}`);
    if (!now) {
      setText(words, `${count} ${count === 1 ? "turn" : "turns"} · click one to hear it`);
      return;
    }
    const end = now.end_ms === null ? "still open" : at(tuner, now.end_ms);
    const wrong = now.cut ? " · cut off" : now.wrong ? " · nobody spoke" : "";
    setText(
      words,
      `turn ${tuner.turns.indexOf(now) + 1} of ${count} · ${at(tuner, now.start_ms)} to ${end}${wrong}`,
    );
  };
  for (const topic of ["turns", "view", "sound"] as const) tuner.on(topic, show, signal);
  show();
  const small = (label: string, name: string, act: () => void) =>
    button(label, act, { class: "rt-button rt-small", "aria-label": name, title: name });
  return h(
    "div",
    { class: "rt-bar" },
    small("‹", "Previous turn", () => step(-1)),
    small("›", "Next turn", () => step(1)),
    words,
    hearBefore,
    hearNow,
    h("span", { class: "rt-space" }),
    small("−", "See more time", () => tuner.zoom(2)),
    small("+", "See less time", () => tuner.zoom(0.5)),
    small("All", "See all of it", () => tuner.look(0, tuner.sound?.duration_ms ?? 0)),
  );
}
