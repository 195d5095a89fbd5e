/** One per widget, however many views show it: its link, its microphone, its speaker, its rows. */

import type { AnyModel } from "@anywidget/types";
import type { MicState } from "./audio/capture.ts";
import { MIC_PROBLEMS, type MicProblem } from "./audio/mic-problems.ts";
import { SILENCE_DBFS, samplesOf } from "./audio/pcm.ts";
import { Playback } from "./audio/playback.ts";
import { now_s } from "./audio/render-clock.ts";
import { Inbox } from "./carrier.ts";
import { follow } from "./follow.ts";
import { Link, type Traits } from "./link.ts";
import { Mic } from "./mic.ts";
import type { CallRow, EventRow, Fields, Message, TranscriptRow } from "./protocol.ts";
import { Topics } from "./topics.ts";

type Topic = "state" | "level" | "transcript" | "events" | "calls";

const CLOSE_AFTER_LAST_VIEW_MS = 2_000;
const ACK_EVERY = 12;
const KEPT_EVENTS = 500;

export class Port extends Topics<Topic> {
  readonly link: Link;
  readonly mic: Mic;
  readonly playback: Playback;
  micState: MicState = "off";
  /** One sentence about what is wrong here; empty for nothing. */
  problem = "";
  level_dbfs = SILENCE_DBFS;
  clipped = false;
  /** A kernel has answered. Until then this may be an old notebook that only shows what was. */
  welcomed = false;
  transcript = new Map<string, TranscriptRow>();
  events = new Map<number, EventRow>();
  calls = new Map<string, CallRow>();
  /** Takes the messages that only one kind of widget knows. */
  more: (message: Message, buffers: DataView[]) => void = () => {};
  #views = 0;
  #speakerInbox = new Inbox();
  #closing: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly model: AnyModel<Traits>,
    signal: AbortSignal,
  ) {
    super();
    this.link = new Link(model, signal, (message, buffers) => this.#receive(message, buffers));
    this.mic = new Mic(this.link, {
      state: (state, problem) => this.#micState(state, problem),
      level: (dbfs, clipped) => this.#level(dbfs, clipped),
      stalled: () => this.changed("state"),
    });
    this.playback = new Playback(
      (report) => this.link.send("speaker.report", { ...report }),
      () => this.changed("state"),
      (message) => this.#say(message),
    );
    this.link.onDead(() => this.#dead());
    signal.addEventListener("abort", () => this.close());
    window.addEventListener("pagehide", () => this.mic.stop("page"), { signal });
    const mute = () => {
      this.mic.capture.muted = model.get("muted") === true;
    };
    follow(model, ["muted"], mute, signal);
  }

  /** A view came; its `signal` says when it goes. The microphone outlives the last one by two seconds. */
  shown(signal: AbortSignal): void {
    this.#views += 1;
    clearTimeout(this.#closing);
    this.link.send("hello");
    signal.addEventListener("abort", () => {
      this.#views -= 1;
      if (this.#views === 0) {
        this.#closing = setTimeout(() => {
          this.mic.stop("hidden");
          this.playback.flush();
        }, CLOSE_AFTER_LAST_VIEW_MS);
      }
    });
  }

  /** A click: the browser now allows sound, and the kernel hears what was pressed. */
  action(name: string, fields: Fields = {}): void {
    void this.playback.ready();
    this.#say("");
    if (!this.link.send("action", { name, ...fields })) this.#say(MIC_PROBLEMS.link);
  }

  async startMic(): Promise<void> {
    this.#say("");
    void this.playback.ready();
    await this.mic.start();
  }

  stopMic(): void {
    this.mic.stop("user");
  }

  /** Silence here and now; the kernel hears of it after. */
  interrupt(): void {
    this.playback.flush();
    this.action("interrupt");
  }

  close(): void {
    clearTimeout(this.#closing);
    this.mic.stop("closed");
    this.playback.close();
  }

  #receive(message: Message, buffers: DataView[]): void {
    const received_s = now_s();
    switch (message.type) {
      case "clock.ask":
        this.link.send("clock.answer", { asked_s: message.asked_s, received_s, answered_s: now_s() });
        break;
      case "welcome":
        this.welcomed = true;
        if (message.speaker_seq !== undefined) this.#speakerInbox.expected = Number(message.speaker_seq);
        this.changed("state");
        break;
      case "mic.revoked":
        this.mic.stop("revoked");
        this.#say(String(message.reason));
        break;
      case "mic.ack":
        this.mic.ack(message);
        break;
      case "speaker.chunk":
      case "speaker.end":
      case "speaker.flush":
        this.#speaker(message, buffers, received_s);
        break;
      case "transcript":
        if (message.reset) this.transcript.clear();
        for (const row of message.rows as TranscriptRow[]) this.transcript.set(row.item_id, row);
        this.changed("transcript");
        break;
      case "events":
        if (message.reset) this.events.clear();
        for (const row of message.rows as EventRow[]) this.events.set(row.id, row);
        for (const id of [...this.events.keys()].slice(0, -KEPT_EVENTS)) this.events.delete(id);
        this.changed("events");
        break;
      case "calls":
        if (message.reset) this.calls.clear();
        for (const row of message.rows as CallRow[]) this.calls.set(row.call_id, row);
        this.changed("calls");
        break;
      default:
        this.more(message, buffers);
    }
  }

  #speaker(message: Message, buffers: DataView[], received_s: number): void {
    const verdict = this.#speakerInbox.receive(Number(message.seq));
    if (verdict === "take") {
      const itemId = String(message.item_id);
      if (message.type === "speaker.chunk") this.playback.play(itemId, samplesOf(buffers[0]!), received_s);
      if (message.type === "speaker.end") this.playback.end(itemId);
      if (message.type === "speaker.flush") this.playback.flush();
    }
    const { expected } = this.#speakerInbox;
    if (verdict !== "take" || message.type !== "speaker.chunk" || expected % ACK_EVERY === 0) {
      this.link.send("speaker.ack", { seq: expected, again: verdict === "gap" });
    }
  }

  #micState(state: MicState, problem: MicProblem | null): void {
    this.micState = state;
    if (state === "off") {
      this.level_dbfs = SILENCE_DBFS;
      this.changed("level");
    }
    this.#say(problem ? MIC_PROBLEMS[problem] : "");
    this.link.send("mic.state", { state, problem, input_latency_s: this.mic.capture.inputLatency_s });
  }

  #level(dbfs: number, clipped: boolean): void {
    this.level_dbfs = dbfs;
    this.clipped = clipped;
    this.changed("level");
  }

  #say(problem: string): void {
    this.problem = problem;
    this.changed("state");
  }

  #dead(): void {
    this.mic.capture.stop("link");
    this.playback.flush();
    this.#say(MIC_PROBLEMS.link);
  }
}
