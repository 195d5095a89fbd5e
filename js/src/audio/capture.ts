/** Owns the microphone of one widget: opened by a click, closed by whatever comes first. */
import workletCode from "worklet:./worklets/capture.worklet.ts";
import { SAMPLE_RATE_HZ } from "../protocol.ts";
import { type MicProblem, missingSupport, problemOf } from "./mic-problems.ts";
import { now_s, RenderClock } from "./render-clock.ts";
import { loadWorklet } from "./worklets/load.ts";

export type MicState = "off" | "asking" | "on";

interface CaptureEvents {
  /** One chunk of 40 ms; the last one of a recording may be shorter. Its end is on the page's clock. */
  chunk(pcm: Int16Array, overrunSamples: number, end_s: number): void;
  state(state: MicState, problem: MicProblem | null): void;
}

/** What the worklet posts. */
interface Recorded {
  pcm: ArrayBuffer;
  samples: number;
  overrun_samples: number;
  end_s: number;
  block_s: number;
}

export class Capture {
  state: MicState = "off";
  #take = 0;
  #stream: MediaStream | null = null;
  #context: AudioContext | null = null;
  #node: AudioWorkletNode | null = null;
  #muted = false;
  #clock = new RenderClock();
  /** How long the device takes to hand over a sample, as the browser says. */
  inputLatency_s = 0;

  constructor(readonly events: CaptureEvents) {}

  set muted(muted: boolean) {
    this.#muted = muted;
    for (const track of this.#stream?.getAudioTracks() ?? []) track.enabled = !muted;
  }

  /** Opens the microphone. Call it from a click only. */
  async start(): Promise<boolean> {
    if (this.state !== "off") return false;
    const missing = missingSupport();
    if (missing) {
      this.#set("off", missing);
      return false;
    }
    this.#take += 1;
    const take = this.#take;
    this.#set("asking", null);
    try {
      const stream = await navigator.mediaDevices.getUserMedia({
        audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true },
      });
      // Stopped while the browser was asking: nothing may stay open.
      if (take !== this.#take) {
        stopTracks(stream);
        return false;
      }
      this.#stream = stream;
      await this.#wire(stream, take);
      if (take !== this.#take) return false;
      this.#set("on", null);
      return true;
    } catch (error) {
      if (take === this.#take) this.stop(problemOf(error));
      return false;
    }
  }

  /** Closes the microphone at once; what is recorded so far is still handed over. */
  stop(problem: MicProblem | null = null): void {
    this.#take += 1;
    if (this.#stream) stopTracks(this.#stream);
    this.#node?.port.postMessage("stop");
    const context = this.#context;
    this.#stream = null;
    this.#node = null;
    this.#context = null;
    // The worklet hands over its last part of a chunk before its context goes.
    if (context) setTimeout(() => void context.close().catch(() => {}), 200);
    if (this.state !== "off" || problem) this.#set("off", problem);
  }

  async #wire(stream: MediaStream, take: number): Promise<void> {
    const { context, source } = await openContext(stream);
    this.#context = context;
    await loadWorklet(context, workletCode);
    if (take !== this.#take) {
      void context.close().catch(() => {});
      return;
    }
    const node = new AudioWorkletNode(context, "rt-capture", { numberOfInputs: 1, numberOfOutputs: 1 });
    this.#clock = new RenderClock();
    // Not in the types of every version: browsers that know it tell it in seconds.
    const settings = stream.getAudioTracks()[0]?.getSettings() as { latency?: number } | undefined;
    this.inputLatency_s = settings?.latency ?? 0;
    node.port.onmessage = ({ data }: MessageEvent<Recorded>) => {
      this.#clock.note(data.block_s, now_s());
      const pcm = new Int16Array(data.pcm.slice(0, data.samples * 2));
      this.events.chunk(pcm, data.overrun_samples, this.#clock.page_s(data.end_s));
      node.port.postMessage(data.pcm, [data.pcm]);
    };
    source.connect(node);
    // Chromium runs a node only when it leads to the output; this one is silent.
    node.connect(context.destination);
    for (const track of stream.getAudioTracks()) {
      track.enabled = !this.#muted;
      track.onended = () => {
        if (take === this.#take) this.stop("lost");
      };
    }
    context.onstatechange = () => {
      this.#clock = new RenderClock();
      if (context.state === "suspended") void context.resume().catch(() => {});
    };
    await context.resume();
    this.#node = node;
  }

  #set(state: MicState, problem: MicProblem | null): void {
    this.state = state;
    this.events.state(state, problem);
  }
}

/** A context at 24 kHz; where the browser cannot join it to the device's rate, one at the device's own. */
async function openContext(stream: MediaStream): Promise<{ context: AudioContext; source: AudioNode }> {
  const wanted = new AudioContext({ sampleRate: SAMPLE_RATE_HZ });
  try {
    return { context: wanted, source: wanted.createMediaStreamSource(stream) };
  } catch {
    await wanted.close();
    const own = new AudioContext();
    return { context: own, source: own.createMediaStreamSource(stream) };
  }
}

function stopTracks(stream: MediaStream): void {
  for (const track of stream.getTracks()) {
    track.onended = null;
    track.stop();
  }
}
