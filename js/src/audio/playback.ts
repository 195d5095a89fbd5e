/** Owns the speaker of one widget and counts what was really heard. */
import workletCode from "worklet:./worklets/playback.worklet.ts";
import { SAMPLE_RATE_HZ } from "../protocol.ts";
import { outputLatency_s } from "./output-latency.ts";
import { toFloat } from "./pcm.ts";
import type { FromPlayback, Progress, ToPlayback } from "./queue.ts";
import { now_s, RenderClock } from "./render-clock.ts";
import { loadWorklet } from "./worklets/load.ts";

export interface Report {
  item_id: string;
  played_samples: number;
  dropped_samples: number;
  state: "playing" | "flushed" | "ended";
  /** Of an item's first report: how it began to sound, on the page's clock. */
  page_arrived_s?: number;
  page_started_s?: number;
  buffered_samples?: number;
  base_latency_s?: number;
  output_latency_s?: number;
}

/**
 * Samples of an item that have been heard: what is still on its way through the device does not count, and
 * what played longer ago than the device is slow does.
 */
export function heardSamples(progress: Progress, latencySamples: number): number {
  return Math.max(0, progress.played_samples - Math.max(0, latencySamples - progress.since_frames));
}

/** Keeps an entry, and of all the last 64. */
function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.set(key, value);
  if (map.size > 64) map.delete(map.keys().next().value!);
}

export class Playback {
  speaking = false;
  /** Samples other than zero that went out since the widget was made. */
  nonzeroSamples = 0;
  #context: AudioContext | null = null;
  #node: AudioWorkletNode | null = null;
  #starting: Promise<void> | null = null;
  #waiting: ToPlayback[] = [];
  /** Items that were silenced: what still arrives of them is not played. */
  #silenced = new Map<string, Report>();
  #nonzero = new Map<string, number>();
  /** When the first audio of an item arrived, until it has been reported. */
  #arrived_s = new Map<string, number>();
  #clock = new RenderClock();

  constructor(
    readonly onReport: (report: Report) => void,
    readonly onSpeaking: (speaking: boolean) => void,
    readonly onProblem: (message: string) => void,
  ) {}

  /** Makes the speaker ready. A click calls it, so that the browser allows sound; so does the first audio. */
  ready(): Promise<void> {
    this.#starting ??= this.#start().catch(() => {
      this.#starting = null;
      this.onProblem("This page cannot play sound: use a current browser, or allow blob: in its script-src.");
    });
    if (this.#context?.state === "suspended") void this.#context.resume().catch(() => {});
    return this.#starting;
  }

  play(itemId: string, pcm: Int16Array, arrived_s: number): void {
    const silenced = this.#silenced.get(itemId);
    if (silenced) {
      silenced.dropped_samples += pcm.length;
      return;
    }
    this.#tick();
    if (!this.#arrived_s.has(itemId)) remember(this.#arrived_s, itemId, arrived_s);
    this.#post({ kind: "chunk", item_id: itemId, samples: toFloat(pcm) });
  }

  end(itemId: string): void {
    if (!this.#silenced.has(itemId)) this.#post({ kind: "end", item_id: itemId });
  }

  /** Silence at once; a report for each item that was cut follows. */
  flush(): void {
    this.#post({ kind: "flush" });
  }

  close(): void {
    this.#node?.port.postMessage({ kind: "stop" } satisfies ToPlayback);
    void this.#context?.close().catch(() => {});
    this.#context = null;
    this.#node = null;
    this.#starting = null;
    this.#waiting = [];
  }

  async #start(): Promise<void> {
    const context = new AudioContext({ sampleRate: SAMPLE_RATE_HZ, latencyHint: "interactive" });
    this.#context = context;
    context.onstatechange = () => {
      this.#clock = new RenderClock();
    };
    await loadWorklet(context, workletCode);
    const node = new AudioWorkletNode(context, "rt-playback", { numberOfInputs: 0, outputChannelCount: [1] });
    node.port.onmessage = ({ data }: MessageEvent<FromPlayback>) => this.#heard(data);
    node.connect(context.destination);
    this.#node = node;
    for (const message of this.#waiting.splice(0)) node.port.postMessage(message);
    if (context.state === "suspended") {
      void context.resume().catch(() => {});
      setTimeout(() => {
        if (context.state === "suspended") {
          this.onProblem("The browser holds the sound back until you click into this widget.");
        }
      }, 500);
    }
  }

  #post(message: ToPlayback): void {
    if (this.#node) {
      this.#node.port.postMessage(message);
      if (this.#context?.state === "suspended") void this.#context.resume().catch(() => {});
    } else {
      this.#waiting.push(message);
      void this.ready();
    }
  }

  #heard({ kind, items, frame }: FromPlayback): void {
    this.#clock.note(frame / SAMPLE_RATE_HZ, now_s());
    this.#tick();
    const latencyS = outputLatency_s(this.#context) + (this.#context?.baseLatency || 0);
    const latencySamples = Math.round(latencyS * SAMPLE_RATE_HZ);
    for (const item of items) {
      const report: Report = {
        item_id: item.item_id,
        played_samples: heardSamples(item, latencySamples),
        dropped_samples: item.dropped_samples,
        state: kind === "flushed" ? "flushed" : "playing",
        ...this.#beginning(item),
      };
      this.#count(item);
      if (kind === "flushed") {
        remember(this.#silenced, item.item_id, report);
      }
      if (item.ended && kind === "progress") {
        // The last samples are still on their way to the ear.
        setTimeout(
          () => this.onReport({ ...report, state: "ended", played_samples: item.played_samples }),
          latencyS * 1000,
        );
      } else {
        this.onReport(report);
      }
    }
    this.#setSpeaking(kind === "progress" && items.some((item) => !item.ended));
  }

  #count(item: Progress): void {
    this.nonzeroSamples += item.nonzero_samples - (this.#nonzero.get(item.item_id) ?? 0);
    remember(this.#nonzero, item.item_id, item.nonzero_samples);
  }

  /** Notes how far the context is. One that stood still has another place on the page's clock. */
  #tick(): void {
    const context = this.#context;
    if (context?.state === "running" && context.currentTime > 0) {
      this.#clock.note(context.currentTime, now_s());
    }
  }

  /** How an item began to sound, once. */
  #beginning(item: Progress): Partial<Report> {
    const arrived_s = this.#arrived_s.get(item.item_id);
    if (!arrived_s || item.start_frame < 0) return {};
    // Kept, so that what arrives of it later is not taken for its beginning.
    this.#arrived_s.set(item.item_id, 0);
    return {
      page_arrived_s: arrived_s,
      page_started_s: this.#clock.page_s(item.start_frame / SAMPLE_RATE_HZ),
      buffered_samples: item.start_waiting,
      base_latency_s: this.#context?.baseLatency || 0,
      output_latency_s: outputLatency_s(this.#context),
    };
  }

  #setSpeaking(speaking: boolean): void {
    if (speaking === this.speaking) return;
    this.speaking = speaking;
    this.onSpeaking(speaking);
  }
}
