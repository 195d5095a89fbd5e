/** Microphone to PCM16 chunks of 40 ms at 24 kHz. `process` allocates nothing: buffers go round in a pool. */
import { SAMPLE_RATE_HZ } from "../../protocol.ts";
import { Resampler } from "../resample.ts";

/** 40 ms: long enough that a notebook carries it cheaply, short enough that nobody hears it. */
const CHUNK_SAMPLES = 960;
/** 30 s: as long as the page may be too busy to fetch what was recorded. */
const POOL_CHUNKS = 750;
const QUANTUM = 128;

class CaptureProcessor extends AudioWorkletProcessor {
  readonly #pool: ArrayBuffer[] = Array.from(
    { length: POOL_CHUNKS },
    () => new ArrayBuffer(CHUNK_SAMPLES * 2),
  );
  #free = POOL_CHUNKS;
  readonly #mono = new Float32Array(QUANTUM);
  readonly #resampler =
    sampleRate === SAMPLE_RATE_HZ ? null : new Resampler(sampleRate, SAMPLE_RATE_HZ, QUANTUM);
  readonly #resampled = new Float32Array(this.#resampler?.maxOutput(QUANTUM) ?? 0);
  readonly #chunk = new Int16Array(CHUNK_SAMPLES);
  readonly #message = { pcm: this.#pool[0]!, samples: 0, overrun_samples: 0, end_s: 0, block_s: 0 };
  readonly #transfer: ArrayBuffer[] = [this.#pool[0]!];
  #fill = 0;
  #overrun = 0;
  /** When the newest sample was recorded, and the end of the block that is being rendered: context time. */
  #end_s = 0;
  #block_s = 0;
  #live = true;

  constructor() {
    super();
    this.port.onmessage = ({ data }: MessageEvent<ArrayBuffer | "stop">) => {
      if (data === "stop") {
        if (this.#fill > 0) this.#emit();
        this.#live = false;
      } else {
        this.#pool[this.#free++] = data;
      }
    };
  }

  process(inputs: Float32Array[][]): boolean {
    const input = inputs[0]!;
    if (!this.#live || input.length === 0) return this.#live;
    const channel = this.#downmix(input);
    this.#block_s = (currentFrame + QUANTUM) / sampleRate;
    if (this.#resampler === null) {
      this.#take(channel, channel.length);
    } else {
      this.#take(this.#resampled, this.#resampler.push(channel, this.#resampled));
    }
    return true;
  }

  #downmix(input: Float32Array[]): Float32Array {
    if (input.length === 1) return input[0]!;
    this.#mono.fill(0);
    for (const channel of input) {
      for (let i = 0; i < channel.length; i++) this.#mono[i]! += channel[i]! / input.length;
    }
    return this.#mono;
  }

  #take(samples: Float32Array, count: number): void {
    const last_s = this.#block_s - (this.#resampler?.delaySamples ?? 0) / sampleRate;
    for (let i = 0; i < count; i++) {
      this.#end_s = last_s - (count - 1 - i) / SAMPLE_RATE_HZ;
      const clipped = Math.max(-1, Math.min(1, samples[i]!));
      this.#chunk[this.#fill++] = Math.round(clipped * 32767);
      if (this.#fill === CHUNK_SAMPLES) this.#emit();
    }
  }

  #emit(): void {
    if (this.#free === 0) {
      this.#overrun += this.#fill;
    } else {
      const pcm = this.#pool[--this.#free]!;
      new Int16Array(pcm).set(this.#chunk);
      this.#message.pcm = pcm;
      this.#message.samples = this.#fill;
      this.#message.overrun_samples = this.#overrun;
      this.#message.end_s = this.#end_s;
      this.#message.block_s = this.#block_s;
      this.#transfer[0] = pcm;
      this.port.postMessage(this.#message, this.#transfer);
    }
    this.#fill = 0;
  }
}

registerProcessor("rt-capture", CaptureProcessor);
