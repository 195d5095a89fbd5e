import { beforeEach, expect, test, vi } from "vitest";
import table from "../../src/rt_notebook/widgets/messages.json";
import { Port } from "../src/port.ts";
import type { Fields, ToFront } from "../src/protocol.ts";
import { type Tuner, tunerOf } from "../src/tuner/tuner.ts";

/** The page's end of a comm, and what has been sent over it. */
class Model {
  sent: Fields[] = [];
  #receive = (_message: Fields, _buffers: DataView[]) => {};
  on(name: string, listener: never) {
    if (name === "msg:custom") this.#receive = listener;
  }
  get() {}
  send(message: Fields) {
    this.sent.push(message);
  }
  tell(type: ToFront, fields: Fields = {}, ...buffers: ArrayBufferView[]) {
    const views = buffers.map(
      ({ buffer, byteOffset, byteLength }) => new DataView(buffer, byteOffset, byteLength),
    );
    this.#receive({ type, ...fields }, views);
  }
}

let model: Model;
let port: Port;
let tuner: Tuner;

beforeEach(() => {
  vi.stubGlobal("window", { addEventListener() {} });
  model = new Model();
  port = new Port(model as never, new AbortController().signal);
  tuner = tunerOf(port);
});

function record() {
  port.mic.capture.events.chunk(new Int16Array(960), 0, 1);
}

function hear() {
  const turn = Int32Array.of(100, 400, 0, 900, 0);
  model.tell("tuner.sound", { number: 1, hop_ms: 32 }, new Uint8Array(60), new Int8Array(120), turn);
}

/** What each message does here. That none is missing is for the compiler; `code` goes to the loader. */
const DOES: Record<Exclude<ToFront, "code">, () => void> = {
  welcome() {
    model.tell("welcome", { speaker_seq: 0 });
    expect(port.welcomed).toBe(true);
  },
  "mic.revoked"() {
    model.tell("mic.revoked", { reason: "Another window listens now." });
    expect(port.problem).toBe("Another window listens now.");
  },
  "clock.ask"() {
    model.tell("clock.ask", { asked_s: 5 });
    expect(model.sent).toMatchObject([{ type: "clock.answer", asked_s: 5 }]);
  },
  "mic.ack"() {
    record();
    model.tell("mic.ack", { epoch: 0, seq: 1, again: false });
    expect(port.mic.acknowledged).toBe(1);
  },
  "speaker.chunk"() {
    const play = vi.spyOn(port.playback, "play").mockReturnValue();
    model.tell("speaker.chunk", { seq: 0, item_id: "a" }, Int16Array.of(1, -2));
    expect(play).toHaveBeenCalledWith("a", Int16Array.of(1, -2), expect.any(Number));
  },
  "speaker.end"() {
    const end = vi.spyOn(port.playback, "end").mockReturnValue();
    model.tell("speaker.end", { seq: 0, item_id: "a" });
    expect(end).toHaveBeenCalledWith("a");
  },
  "speaker.flush"() {
    const flush = vi.spyOn(port.playback, "flush").mockReturnValue();
    model.tell("speaker.flush", { seq: 0 });
    expect(flush).toHaveBeenCalled();
  },
  transcript() {
    model.tell("transcript", { reset: false, rows: [{ item_id: "a", text: "Hello." }] });
    expect(port.transcript.get("a")?.text).toBe("Hello.");
  },
  calls() {
    model.tell("calls", { reset: false, rows: [{ call_id: "a", state: "pending" }] });
    expect(port.calls.get("a")?.state).toBe("pending");
  },
  events() {
    model.tell("events", { reset: false, rows: [{ id: 7, type: "error" }] });
    expect(port.events.get(7)?.type).toBe("error");
  },
  "tuner.sound"() {
    hear();
    expect(tuner.sound).toMatchObject({ duration_ms: 1920, before: [{ end_ms: 900 }] });
  },
  "tuner.labels"() {
    hear();
    model.tell("tuner.labels", { number: 1, rows: [[100, 400]] });
    expect(tuner.labels).toEqual([[100, 400]]);
  },
  "tuner.turns"() {
    hear();
    model.tell("tuner.turns", { number: 1, leave: 0.35 }, Int32Array.of(100, 400, 0, 900, 1));
    expect(tuner).toMatchObject({ leave: 0.35, turns: [{ cut: true }] });
  },
  "tuner.plane"() {
    hear();
    model.tell("tuner.plane", { number: 1, metric: "cost" }, Float32Array.of(0.5));
    expect(tuner.plane).toMatchObject({ metric: "cost", values: Float32Array.of(0.5) });
  },
};

test.each(Object.entries(DOES))("%s is handled", (_type, does) => does());

test("what is for another page is not", () => {
  model.tell("welcome", { client: "another" });
  expect(port.welcomed).toBe(false);
  model.tell("welcome", { client: port.link.client });
  expect(port.welcomed).toBe(true);
});

test("what the kernel handles is sent, by the loader (code) or by a port, and nothing else", async () => {
  port.shown(new AbortController().signal);
  port.action("say", { text: "Hello." });
  await port.startMic(); // there is none, and that is told
  record();
  model.tell("clock.ask", { asked_s: 5 });
  model.tell("speaker.flush", { seq: 3 });
  port.playback.onReport({ item_id: "a", played_samples: 0, dropped_samples: 0, state: "ended" });
  tuner.set({ threshold: 0.4 });
  const sent = new Set(["code.ask", "code.taken", ...model.sent.map(({ type }) => type)]);
  expect(sent).toEqual(new Set(Object.keys(table.to_kernel)));
});
