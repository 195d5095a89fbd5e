/** What the tuner's views show: a sound, its turns at the present settings, its labels, the plane. */
import type { Port } from "../port.ts";
import type { Message } from "../protocol.ts";
import { Topics } from "../topics.ts";
import { Asking, type Changes, PATIENCE_MS } from "./asking.ts";
import { type Turn, turnAt, turnsOf, withMark } from "./turns.ts";

type Topic = "sound" | "turns" | "labels" | "plane" | "view";

export interface Sound {
  number: number;
  name: string;
  detector: string;
  hop_ms: number;
  bin_ms: number;
  before_name: string;
  /** One step of 1/255 a frame. */
  probabilities: Uint8Array;
  /** Lowest and highest sample of each bin, in turns. */
  bounds: Int8Array;
  before: Turn[];
  duration_ms: number;
  /** The largest of the bounds, at least 8: noise alone is not drawn as if it were loud. */
  loudest: number;
}

export interface Settings {
  threshold: number;
  prefix_padding_ms: number;
  silence_duration_ms: number;
  exit_threshold: number | null;
}

export interface Plane {
  metric: string;
  metrics: string[];
  threshold: number[];
  silence_duration_ms: number[];
  values: Float32Array;
  score: Record<string, number | null>;
}

const NARROWEST_MS = 500;
const ASK_AGAIN_MS = 1_000;

export class Tuner extends Topics<Topic> {
  sound: Sound | undefined;
  turns: Turn[] = [];
  settings: Settings | undefined;
  /** Below this a frame is silent. */
  leave = 0;
  json: Record<string, string> = {};
  labels: [number, number][] = [];
  plane: Plane | undefined;
  view = { start_ms: 0, end_ms: 1_000 };
  /** The moment whose turns are looked at. */
  selected_ms: number | null = null;
  marking = false;
  readonly #asking: Asking;
  #askedAgain_ms = Number.NEGATIVE_INFINITY;

  constructor(readonly port: Port) {
    super();
    this.#asking = new Asking(
      (n, changes) => {
        port.link.send("tuner.set", { n, changes });
        setTimeout(() => this.#asking.go(), PATIENCE_MS + 10);
      },
      () => performance.now(),
    );
    port.more = (message, buffers) => this.#receive(message, buffers);
  }

  /** Turns a setting here at once; the turns follow when the kernel has decided them. */
  set(changes: Partial<Settings> & { metric?: string }): void {
    const { metric: _, ...settings } = changes;
    if (this.settings) Object.assign(this.settings, settings);
    this.#asking.want(changes as Changes);
    this.changed("turns");
  }

  look(start_ms: number, end_ms: number): void {
    const whole_ms = Math.max(this.sound?.duration_ms ?? 0, NARROWEST_MS);
    const width_ms = Math.min(Math.max(end_ms - start_ms, NARROWEST_MS), whole_ms);
    const first_ms = Math.min(Math.max(start_ms, 0), whole_ms - width_ms);
    this.view = { start_ms: first_ms, end_ms: first_ms + width_ms };
    this.changed("view");
  }

  zoom(factor: number, around_ms?: number): void {
    const { start_ms, end_ms } = this.view;
    const middle_ms = around_ms ?? this.selected_ms ?? (start_ms + end_ms) / 2;
    const at_ms = Math.min(Math.max(middle_ms, start_ms), end_ms);
    this.look(at_ms - (at_ms - start_ms) * factor, at_ms + (end_ms - at_ms) * factor);
  }

  pan(share: number): void {
    const { start_ms, end_ms } = this.view;
    const by_ms = share * (end_ms - start_ms);
    this.look(start_ms + by_ms, end_ms + by_ms);
  }

  select(time_ms: number | null): void {
    this.selected_ms = time_ms;
    const { start_ms, end_ms } = this.view;
    if (time_ms !== null && (time_ms < start_ms || time_ms > end_ms)) {
      const half_ms = (end_ms - start_ms) / 2;
      this.look(time_ms - half_ms, time_ms + half_ms);
    }
    this.changed("view");
  }

  /** The turns at the selected moment: before, and at the present settings. */
  get selected(): { before: Turn | undefined; now: Turn | undefined } {
    if (this.selected_ms === null) return { before: undefined, now: undefined };
    const now = turnAt(this.turns, this.selected_ms);
    return { before: turnAt(this.sound?.before ?? [], this.selected_ms), now };
  }

  mark(start_ms: number, end_ms: number): void {
    this.setMarks(withMark(this.labels, Math.round(start_ms), Math.round(end_ms)));
  }

  setMarks(rows: [number, number][]): void {
    this.labels = rows;
    this.port.action("marks", { rows });
    this.changed("labels");
  }

  #receive(message: Message, buffers: DataView[]): void {
    switch (message.type) {
      case "tuner.sound":
        this.#hear(message, buffers);
        break;
      case "tuner.labels":
        if (!this.#current(message)) return;
        this.labels = message.rows as [number, number][];
        this.changed("labels");
        break;
      case "tuner.turns":
        if (message.asked_by === this.port.link.client) this.#asking.answered(Number(message.n));
        if (!this.#current(message)) return;
        this.turns = turnsOf(new Int32Array(copy(buffers[0]!)));
        this.leave = Number(message.leave);
        this.json = message.json as Record<string, string>;
        // While more is wanted, the sliders stay where they have been dragged to.
        if (this.#asking.settled || !this.settings) this.settings = message.settings as Settings;
        this.changed("turns");
        break;
      case "tuner.plane": {
        if (!this.#current(message)) return;
        const { metric, metrics, threshold, silence_duration_ms, score } = message as unknown as Plane;
        const values = new Float32Array(copy(buffers[0]!));
        this.plane = { metric, metrics, threshold, silence_duration_ms, score, values };
        this.changed("plane");
        break;
      }
    }
  }

  #hear(message: Message, buffers: DataView[]): void {
    const [steps, bounds, before] = buffers as [DataView, DataView, DataView];
    const { number, name, detector, hop_ms, bin_ms, before_name } = message as unknown as Sound;
    const again = this.sound?.number === number;
    const probabilities = new Uint8Array(copy(steps));
    const peaks = new Int8Array(copy(bounds));
    this.sound = {
      ...{ number, name, detector, hop_ms, bin_ms, before_name, probabilities },
      bounds: peaks,
      loudest: peaks.reduce((most, peak) => Math.max(most, Math.abs(peak)), 8),
      before: turnsOf(new Int32Array(copy(before))),
      duration_ms: probabilities.length * hop_ms,
    };
    if (!again) {
      this.plane = undefined;
      this.selected_ms = null;
      this.turns = [];
      this.labels = [];
      this.look(0, this.sound.duration_ms);
    }
    this.changed("sound");
  }

  /** Whether a message is about the sound that is here; a lost one is asked for again. */
  #current(message: Message): boolean {
    if (message.number === this.sound?.number) return true;
    const now_ms = performance.now();
    if (now_ms - this.#askedAgain_ms > ASK_AGAIN_MS) {
      this.#askedAgain_ms = now_ms;
      this.port.link.send("hello");
    }
    return false;
  }
}

/** Buffers may begin anywhere in what they came with; arrays of numbers may not. */
function copy({ buffer, byteOffset, byteLength }: DataView): ArrayBuffer {
  return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
}

const tuners = new WeakMap<Port, Tuner>();

/** The one tuner of a widget, however many views show it. */
export function tunerOf(port: Port): Tuner {
  const known = tuners.get(port) ?? new Tuner(port);
  tuners.set(port, known);
  return known;
}
