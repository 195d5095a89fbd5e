/** What waits for the speaker, item by item, and what of it has gone out. Pure: frames come in as numbers. */

export type ToPlayback =
  | { kind: "chunk"; item_id: string; samples: Float32Array }
  | { kind: "end"; item_id: string }
  | { kind: "flush" }
  | { kind: "stop" };

export interface Progress {
  item_id: string;
  played_samples: number;
  dropped_samples: number;
  /** Frames that have passed since the item's last sample went out. */
  since_frames: number;
  nonzero_samples: number;
  ended: boolean;
  /** The frame at which its first sample went out, and the samples that waited then; -1 before. */
  start_frame: number;
  start_waiting: number;
}

/** `frame` is the end of the block that was rendered when it was sent. */
export type FromPlayback = { kind: "progress" | "flushed"; items: Progress[]; frame: number };

/** Silence before the first sample of an item, so that a late chunk leaves no hole: 60 ms. */
export const PREBUFFER_SAMPLES = 1_440;

class Item {
  readonly chunks: Float32Array[] = [];
  head = 0;
  offset = 0;
  waiting = 0;
  played = 0;
  nonzero = 0;
  lastFrame = 0;
  ended = false;
  started = false;
  startFrame = -1;
  startWaiting = -1;

  constructor(readonly id: string) {}

  get done(): boolean {
    return this.ended && this.waiting === 0;
  }

  progress(frame: number, dropped = 0): Progress {
    return {
      item_id: this.id,
      played_samples: this.played,
      dropped_samples: dropped,
      since_frames: this.started ? frame - this.lastFrame : 0,
      nonzero_samples: this.nonzero,
      ended: this.done,
      start_frame: this.startFrame,
      start_waiting: this.startWaiting,
    };
  }
}

export class PlaybackQueue {
  #items: Item[] = [];

  /** Whether anything has been played or waits to be, and has not been reported as done. */
  get busy(): boolean {
    return this.#items.length > 0;
  }

  add(itemId: string, samples: Float32Array): void {
    let item = this.#items.find(({ id }) => id === itemId);
    if (!item) {
      item = new Item(itemId);
      this.#items.push(item);
    }
    item.chunks.push(samples);
    item.waiting += samples.length;
  }

  end(itemId: string): void {
    const item = this.#items.find(({ id }) => id === itemId);
    if (item) item.ended = true;
  }

  /** Writes the next samples into `out`; returns whether an item began or came to its end. */
  fill(out: Float32Array, frame: number): boolean {
    let change = false;
    let filled = 0;
    for (let i = 0; i < this.#items.length && filled < out.length; i++) {
      const item = this.#items[i]!;
      if (!item.started) {
        if (item.waiting < PREBUFFER_SAMPLES && !item.ended) break;
        item.started = true;
        change = true;
      }
      const before = item.waiting;
      if (item.startFrame < 0 && before > 0) {
        item.startFrame = frame + filled;
        item.startWaiting = before;
      }
      filled = this.#copy(item, out, filled);
      if (item.waiting < before) item.lastFrame = frame + filled;
      if (item.done && before > 0) change = true;
      if (!item.done) break; // the next item waits for the end of this one
    }
    return change;
  }

  #copy(item: Item, out: Float32Array, filled: number): number {
    while (filled < out.length && item.waiting > 0) {
      const chunk = item.chunks[item.head]!;
      const count = Math.min(out.length - filled, chunk.length - item.offset);
      for (let i = 0; i < count; i++) {
        const sample = chunk[item.offset + i]!;
        out[filled + i] = sample;
        if (sample !== 0) item.nonzero += 1;
      }
      filled += count;
      item.offset += count;
      item.played += count;
      item.waiting -= count;
      if (item.offset === chunk.length) {
        item.head += 1;
        item.offset = 0;
      }
    }
    return filled;
  }

  /** How far each item is; an item that is done is named once and then forgotten. */
  progress(frame: number): Progress[] {
    const items = this.#items.filter((item) => item.started || item.done).map((item) => item.progress(frame));
    this.#items = this.#items.filter((item) => !item.done);
    return items;
  }

  /** Forgets everything that has not gone out; returns what had. */
  flush(frame: number): Progress[] {
    const items = this.#items.map((item) => item.progress(frame, item.waiting));
    this.#items = [];
    return items;
  }
}
