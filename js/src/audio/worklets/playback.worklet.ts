/** Plays queued audio and counts, for every item, the samples that went out. */
import { type FromPlayback, PlaybackQueue, type Progress, type ToPlayback } from "../queue.ts";

const QUANTUM = 128;
const REPORT_FRAMES = 6_000; // four times a second

class PlaybackProcessor extends AudioWorkletProcessor {
  readonly #queue = new PlaybackQueue();
  #nextReport = 0;
  #live = true;

  constructor() {
    super();
    this.port.onmessage = ({ data }: MessageEvent<ToPlayback>) => {
      if (data.kind === "chunk") this.#queue.add(data.item_id, data.samples);
      if (data.kind === "end") this.#queue.end(data.item_id);
      if (data.kind === "flush") this.#post("flushed", this.#queue.flush(currentFrame));
      if (data.kind === "stop") this.#live = false;
    };
  }

  process(_inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const change = this.#queue.fill(outputs[0]![0]!, currentFrame);
    if (change || (this.#queue.busy && currentFrame >= this.#nextReport)) {
      this.#nextReport = currentFrame + REPORT_FRAMES;
      this.#post("progress", this.#queue.progress(currentFrame));
    }
    return this.#live;
  }

  #post(kind: FromPlayback["kind"], items: Progress[]): void {
    const message: FromPlayback = { kind, items, frame: currentFrame + QUANTUM };
    this.port.postMessage(message);
  }
}

registerProcessor("rt-playback", PlaybackProcessor);
