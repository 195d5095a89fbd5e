/** Draws the tuner's picture. What stays the same while a slider is dragged is drawn once and kept. */
import type { Sound, Tuner } from "./tuner.ts";
import type { Turn } from "./turns.ts";

export const GUTTER = 62;
export const MARKS = { top: 2, height: 9 };
export const WAVE = { top: 15, height: 62 };
export const CHANCE = { top: 84, height: 104 };
export const NOW = { top: 206, height: 20 };
export const BEFORE = { top: 231, height: 20 };
export const AXIS_TOP = 257;
export const HEIGHT = 280;

export interface Colours {
  ink: string;
  dim: string;
  line: string;
  now: string;
  level: string;
  bad: string;
  font: string;
}

/** Lowest and highest of what lies in each of `columns` stretches of `values`, `pair` numbers an entry. */
export function columnBounds(
  values: ArrayLike<number>,
  pair: 1 | 2,
  first: number,
  last: number,
  columns: number,
): { low: Float32Array; high: Float32Array } {
  const low = new Float32Array(columns).fill(Number.NaN);
  const high = new Float32Array(columns).fill(Number.NaN);
  const entries = Math.floor(values.length / pair);
  for (let column = 0; column < columns; column += 1) {
    const begin = Math.floor(first + ((last - first) * column) / columns);
    const end = Math.max(Math.floor(first + ((last - first) * (column + 1)) / columns), begin + 1);
    for (let at = Math.max(begin, 0); at < Math.min(end, entries); at += 1) {
      const below = values[at * pair]!;
      const above = values[at * pair + pair - 1]!;
      if (!(low[column]! <= below)) low[column] = below;
      if (!(high[column]! >= above)) high[column] = above;
    }
  }
  return { low, high };
}

/** Steps of 1, 2 or 5 times a power of ten, or of whole minutes, so that `most` of them at most fit in. */
export function tickStep(span: number, most: number): number {
  const rough = span / Math.max(most, 1);
  if (rough > 20) {
    const wide = [30, 60, 120, 300, 600, 900, 1800, 3600].find((step) => step >= rough);
    return wide ?? 3600 * Math.ceil(rough / 3600);
  }
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
}

/** A moment for people: seconds, or minutes and seconds in what is longer than two minutes. */
export function timeWords(time_s: number, digits: number, whole_s: number): string {
  if (whole_s < 120) return `${time_s.toFixed(digits)} s`;
  const scale = 10 ** digits;
  const units = Math.round(time_s * scale);
  const minutes = Math.floor(units / (60 * scale));
  const seconds = ((units - minutes * 60 * scale) / scale).toFixed(digits);
  return `${minutes}:${seconds.padStart(digits > 0 ? digits + 3 : 2, "0")}`;
}

export function chanceY(probability: number): number {
  return CHANCE.top + (1 - probability) * CHANCE.height;
}

/** Waveform, probability and time axis: what depends on the sound and on what is looked at. */
export function drawSound(
  context: CanvasRenderingContext2D,
  sound: Sound,
  view: Tuner["view"],
  width: number,
  colours: Colours,
): void {
  const columns = Math.max(Math.floor(width - GUTTER), 1);
  const { start_ms, end_ms } = view;
  const middle = WAVE.top + WAVE.height / 2;
  const wave = columnBounds(sound.bounds, 2, start_ms / sound.bin_ms, end_ms / sound.bin_ms, columns);
  context.fillStyle = colours.dim;
  for (let column = 0; column < columns; column += 1) {
    if (Number.isNaN(wave.low[column]!)) continue;
    const top = (wave.high[column]! / sound.loudest) * (WAVE.height / 2);
    const bottom = (wave.low[column]! / sound.loudest) * (WAVE.height / 2);
    context.fillRect(GUTTER + column, middle - top, 1, Math.max(top - bottom, 1));
  }
  const { low, high } = columnBounds(
    sound.probabilities,
    1,
    start_ms / sound.hop_ms,
    end_ms / sound.hop_ms,
    columns,
  );
  context.strokeStyle = colours.ink;
  context.lineWidth = 1.1;
  context.beginPath();
  for (let column = 0; column < columns; column += 1) {
    if (Number.isNaN(low[column]!)) continue;
    context.lineTo(GUTTER + column + 0.5, chanceY(high[column]! / 255));
    context.lineTo(GUTTER + column + 0.5, chanceY(low[column]! / 255));
  }
  context.stroke();
  drawAxis(context, sound, view, width, colours);
}

function drawAxis(
  context: CanvasRenderingContext2D,
  { duration_ms }: Sound,
  { start_ms, end_ms }: Tuner["view"],
  width: number,
  colours: Colours,
): void {
  const span_s = (end_ms - start_ms) / 1000;
  const step_s = tickStep(span_s, (width - GUTTER) / 80);
  const digits = Math.max(0, -Math.floor(Math.log10(step_s) + 1e-9));
  context.fillStyle = colours.dim;
  context.strokeStyle = colours.line;
  context.lineWidth = 1;
  context.font = `11px ${colours.font}`;
  context.textAlign = "center";
  context.textBaseline = "top";
  line(context, GUTTER, AXIS_TOP + 0.5, width, AXIS_TOP + 0.5);
  for (let tick = Math.ceil(start_ms / 1000 / step_s); tick * step_s <= end_ms / 1000; tick += 1) {
    const x = GUTTER + ((tick * step_s * 1000 - start_ms) / (end_ms - start_ms)) * (width - GUTTER);
    line(context, x, AXIS_TOP, x, AXIS_TOP + 4);
    const words = timeWords(tick * step_s, digits, duration_ms / 1000);
    const half = context.measureText(words).width / 2;
    context.fillText(words, Math.min(Math.max(x, GUTTER + half), width - half), AXIS_TOP + 7);
  }
}

/** Everything that the settings and the labels change. */
export function drawDecisions(
  context: CanvasRenderingContext2D,
  tuner: Tuner,
  width: number,
  colours: Colours,
): void {
  const { view, settings, sound } = tuner;
  if (!sound || !settings) return;
  const { before, now } = tuner.selected;
  const lanes = new Lanes(context, view, width, colours);
  for (const turn of tuner.turns) {
    lanes.shade(turn, WAVE.top, CHANCE.top + CHANCE.height - WAVE.top, colours.now, 0.16, 0.5);
    lanes.turn(turn, NOW, colours.now, turn === now);
  }
  for (const turn of sound.before) lanes.turn(turn, BEFORE, colours.dim, turn === before);
  context.fillStyle = colours.ink;
  for (const [start_ms, end_ms] of tuner.labels) lanes.block(start_ms, end_ms, MARKS.top, MARKS.height);
  lanes.level(settings.threshold, []);
  lanes.level(tuner.leave, [5, 4]);
  context.clearRect(0, 0, GUTTER, HEIGHT);
  context.fillStyle = colours.ink;
  context.font = `11px ${colours.font}`;
  context.textAlign = "end";
  context.textBaseline = "middle";
  const name = (words: string, y: number) => context.fillText(words, GUTTER - 8, y);
  if (tuner.labels.length > 0) name("marks", MARKS.top + MARKS.height / 2);
  name("audio", WAVE.top + WAVE.height / 2);
  for (const level of [0, 0.5, 1]) name(String(level), chanceY(level));
  name("now", NOW.top + NOW.height / 2);
  name(sound.before_name.toLowerCase(), BEFORE.top + BEFORE.height / 2);
}

class Lanes {
  constructor(
    readonly context: CanvasRenderingContext2D,
    readonly view: Tuner["view"],
    readonly width: number,
    readonly colours: Colours,
  ) {}

  x(time_ms: number): number {
    const { start_ms, end_ms } = this.view;
    return GUTTER + ((time_ms - start_ms) / (end_ms - start_ms)) * (this.width - GUTTER);
  }

  block(start_ms: number, end_ms: number, top: number, height: number, thin = 1): void {
    const left = Math.max(this.x(start_ms), GUTTER);
    const right = Math.min(this.x(end_ms), this.width);
    if (right > left || (right === left && thin))
      this.context.fillRect(left, top, Math.max(right - left, thin), height);
  }

  /** Padding hatched, speech filled, the silence that ends the turn dotted. */
  shade(turn: Turn, top: number, height: number, colour: string, fill: number, hatch: number): void {
    const { context } = this;
    const end_ms = turn.end_ms ?? this.view.end_ms;
    if (this.x(end_ms) < GUTTER || this.x(turn.start_ms) > this.width) return;
    const speechEnd_ms = turn.speechEnd_ms ?? end_ms;
    context.globalAlpha = fill;
    context.fillStyle = colour;
    this.block(turn.onset_ms, speechEnd_ms, top, height);
    context.globalAlpha = hatch;
    context.fillStyle = pattern(context, colour, "lines");
    this.block(turn.start_ms, turn.onset_ms, top, height, 0);
    context.fillStyle = pattern(context, colour, "dots");
    this.block(speechEnd_ms, end_ms, top, height, 0);
    context.globalAlpha = 1;
  }

  turn(
    turn: Turn,
    { top, height }: { top: number; height: number },
    colour: string,
    selected: boolean,
  ): void {
    const { context, colours } = this;
    this.shade(turn, top, height, colour, 0.8, 0.9);
    const end_ms = turn.end_ms ?? this.view.end_ms;
    const left = Math.max(this.x(turn.start_ms), GUTTER);
    const right = Math.min(this.x(end_ms), this.width);
    if (right < GUTTER || left > this.width) return;
    if (turn.end_ms !== null && right < this.width) {
      context.fillStyle = turn.cut ? colours.bad : colour;
      context.fillRect(right - 1, top - (turn.cut ? 3 : 0), turn.cut ? 3 : 2, height + (turn.cut ? 6 : 0));
    }
    if (turn.cut) this.#sign("✂", right, top - 9);
    if (turn.wrong) this.#sign("?", (left + right) / 2, top - 9);
    if (selected) {
      context.strokeStyle = colours.ink;
      context.lineWidth = 1.5;
      context.strokeRect(left - 1, top - 2, Math.max(right - left, 2) + 2, height + 4);
    }
  }

  #sign(sign: string, x: number, y: number): void {
    const { context, colours } = this;
    context.fillStyle = colours.bad;
    context.font = `bold 12px ${colours.font}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(sign, x, y);
  }

  level(probability: number, dash: number[]): void {
    const { context } = this;
    context.strokeStyle = this.colours.level;
    context.lineWidth = 1.5;
    context.setLineDash(dash);
    line(context, GUTTER, chanceY(probability), this.width, chanceY(probability));
    context.setLineDash([]);
  }
}

function line(context: CanvasRenderingContext2D, x0: number, y0: number, x1: number, y1: number): void {
  context.beginPath();
  context.moveTo(x0, y0);
  context.lineTo(x1, y1);
  context.stroke();
}

const patterns = new Map<string, CanvasPattern>();

function pattern(context: CanvasRenderingContext2D, colour: string, kind: "lines" | "dots"): CanvasPattern {
  const key = `${kind} ${colour}`;
  const known = patterns.get(key);
  if (known) return known;
  const tile = document.createElement("canvas");
  const size = kind === "lines" ? 6 : 4;
  tile.width = size;
  tile.height = size;
  const pen = tile.getContext("2d")!;
  pen.strokeStyle = colour;
  pen.fillStyle = colour;
  if (kind === "dots") pen.fillRect(0, 0, 2, 2);
  else {
    pen.lineWidth = 1.4;
    for (const shift of [-size, 0, size]) line(pen, shift, size, shift + size, 0);
  }
  const made = context.createPattern(tile, "repeat")!;
  patterns.set(key, made);
  return made;
}
