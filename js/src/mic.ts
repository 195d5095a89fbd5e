/** Sends the microphone to the kernel: numbered, acknowledged, sent again when something is missing. */
import { Capture, type MicState } from "./audio/capture.ts";
import type { MicProblem } from "./audio/mic-problems.ts";
import { clips, levelDbfs } from "./audio/pcm.ts";
import { now_s } from "./audio/render-clock.ts";
import { Outbox } from "./carrier.ts";
import type { Link } from "./link.ts";
import type { Message } from "./protocol.ts";

/** Chunks kept until the kernel has them: two minutes, since a kernel may be busy for one. */
const KEPT_CHUNKS = 3_000;
/** A kernel that runs a cell may not answer for long; only a link silent for this long is called dead. */
const DEAD_AFTER_MS = 120_000;
const PROBE_AFTER_MS = 3_000;
const BATCH_CHUNKS = 25;
const BATCH_PAUSE_MS = 50;

export interface MicEvents {
  state(state: MicState, problem: MicProblem | null): void;
  level(dbfs: number, clipped: boolean): void;
  /** The kernel has not answered for some seconds, or answers again. */
  stalled(stalled: boolean): void;
}

/** A chunk with its times on the page's clock: its last sample, and when it was first sent; 0 for not yet. */
interface Chunk {
  pcm: Int16Array;
  end_s: number;
  sent_s: number;
}

export class Mic {
  readonly capture: Capture;
  epoch = 0;
  stalled = false;
  #outbox = new Outbox<Chunk>(KEPT_CHUNKS);
  #overrunSamples = 0;
  #answered_ms = 0;
  #resending = false;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(
    readonly link: Link,
    readonly events: MicEvents,
  ) {
    this.capture = new Capture({
      chunk: (pcm, overrun, end_s) => this.#chunk(pcm, overrun, end_s),
      state: (state, problem) => this.#state(state, problem),
    });
  }

  get chunks(): number {
    return this.#outbox.next;
  }

  get acknowledged(): number {
    return this.#outbox.first;
  }

  /** Opens the microphone. Call it from a click only. */
  async start(): Promise<void> {
    if (this.capture.state !== "off") return;
    if (this.link.dead) {
      this.events.state("off", "link");
      return;
    }
    this.epoch += 1;
    this.#outbox = new Outbox<Chunk>(KEPT_CHUNKS);
    this.#overrunSamples = 0;
    this.#answered_ms = performance.now();
    this.link.send("mic.open", { epoch: this.epoch });
    if (!(await this.capture.start()))
      this.link.send("mic.close", { epoch: this.epoch, seq: 0, reason: "failed" });
  }

  stop(reason: string, problem: MicProblem | null = null): void {
    if (this.capture.state === "off") return;
    const { epoch } = this;
    this.capture.stop(problem);
    // After the last part of a chunk, which the worklet still hands over.
    setTimeout(() => this.link.send("mic.close", { epoch, seq: this.#outbox.next, reason }), 100);
  }

  ack(message: Message): void {
    if (message.epoch !== this.epoch) return;
    this.#answered_ms = performance.now();
    this.#setStalled(false);
    const seq = Number(message.seq);
    this.#outbox.ack(seq);
    if (message.again === true) void this.#resend(seq);
  }

  #state(state: MicState, problem: MicProblem | null): void {
    clearInterval(this.#timer);
    if (state === "on") this.#timer = setInterval(() => this.#watch(), 1000);
    if (state === "off") {
      this.#setStalled(false);
      if (problem === "lost")
        this.link.send("mic.close", { epoch: this.epoch, seq: this.#outbox.next, reason: "lost" });
    }
    this.events.state(state, problem);
  }

  #chunk(pcm: Int16Array, overrunSamples: number, end_s: number): void {
    this.#overrunSamples = overrunSamples;
    const chunk = { pcm, end_s, sent_s: 0 };
    const seq = this.#outbox.add(chunk);
    if (!this.#resending) this.#send(seq, [chunk]);
    this.events.level(levelDbfs(pcm), clips(pcm));
  }

  #send(seq: number, chunks: Chunk[], probe = false): void {
    const counts = chunks.map(({ pcm }) => pcm.length);
    const pcm = new Int16Array(counts.reduce((sum, count) => sum + count, 0));
    let at = 0;
    for (const chunk of chunks) {
      chunk.sent_s ||= now_s();
      pcm.set(chunk.pcm, at);
      at += chunk.pcm.length;
    }
    const fields = {
      epoch: this.epoch,
      seq,
      counts,
      first: this.#outbox.first,
      overrun_samples: this.#overrunSamples,
      ends_s: chunks.map(({ end_s }) => end_s),
      sent_s: chunks.map(({ sent_s }) => sent_s),
    };
    if (!this.link.send("mic.chunks", probe ? { ...fields, probe } : fields, [pcm.buffer]))
      this.stop("link", "link");
  }

  /** The kernel misses chunks from `seq` on: all of them again, in large parts with pauses. */
  async #resend(seq: number): Promise<void> {
    if (this.#resending) return;
    this.#resending = true;
    const { epoch } = this;
    let next = Math.max(seq, this.#outbox.first);
    while (epoch === this.epoch && !this.link.dead && next < this.#outbox.next) {
      const chunks = this.#outbox.from(next, BATCH_CHUNKS);
      next = Math.max(next, this.#outbox.first);
      this.#send(next, chunks);
      next += chunks.length;
      if (chunks.length === BATCH_CHUNKS) await new Promise((done) => setTimeout(done, BATCH_PAUSE_MS));
    }
    this.#resending = false;
  }

  #watch(): void {
    const silent_ms = performance.now() - this.#answered_ms;
    this.#setStalled(silent_ms > PROBE_AFTER_MS);
    if (silent_ms > DEAD_AFTER_MS) this.stop("link", "link");
    // Asks what has arrived: when nothing is recorded any more, no later chunk would show that one is missing.
    else if (silent_ms > PROBE_AFTER_MS)
      this.#send(this.#outbox.first, this.#outbox.from(this.#outbox.first, 1), true);
  }

  #setStalled(stalled: boolean): void {
    if (stalled === this.stalled) return;
    this.stalled = stalled;
    this.events.stalled(stalled);
  }
}
