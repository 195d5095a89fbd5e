import fc from "fast-check";
import { expect, test } from "vitest";
import { heardSamples } from "../src/audio/playback.ts";
import { PlaybackQueue, PREBUFFER_SAMPLES } from "../src/audio/queue.ts";

const QUANTUM = 128;

function play(queue: PlaybackQueue, quanta: number, frame = 0): { out: number[]; frame: number } {
  const out: number[] = [];
  for (let i = 0; i < quanta; i++) {
    const block = new Float32Array(QUANTUM);
    queue.fill(block, frame);
    out.push(...block);
    frame += QUANTUM;
  }
  return { out, frame };
}

test("nothing sounds before the prebuffer is full, unless the item is complete", () => {
  const queue = new PlaybackQueue();
  queue.add("a", new Float32Array(PREBUFFER_SAMPLES - 1).fill(1));
  expect(play(queue, 1).out.every((x) => x === 0)).toBe(true);
  queue.end("a");
  expect(play(queue, 1).out.every((x) => x === 1)).toBe(true);
});

test("items are played one after the other", () => {
  const queue = new PlaybackQueue();
  queue.add("a", new Float32Array(1500).fill(1));
  queue.add("b", new Float32Array(1500).fill(2));
  queue.end("b");
  queue.end("a");
  const { out } = play(queue, 30);
  expect(out.slice(0, 1500).every((x) => x === 1)).toBe(true);
  expect(out.slice(1500, 3000).every((x) => x === 2)).toBe(true);
  expect(out.slice(3000).every((x) => x === 0)).toBe(true);
});

test("after a flush the next quantum is silent", () => {
  const queue = new PlaybackQueue();
  queue.add("a", new Float32Array(5000).fill(1));
  const { frame } = play(queue, 3);
  queue.flush(frame);
  expect(play(queue, 1, frame).out.every((x) => x === 0)).toBe(true);
});

test("played and dropped are together what was received, wherever it is cut", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 3000 }), { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 0, max: 100 }),
      (chunks, quanta) => {
        const queue = new PlaybackQueue();
        for (const count of chunks) queue.add("a", new Float32Array(count).fill(0.5));
        const { frame } = play(queue, quanta);
        const [item] = queue.flush(frame);
        expect(item!.played_samples + item!.dropped_samples).toBe(chunks.reduce((a, b) => a + b, 0));
        expect(item!.nonzero_samples).toBe(item!.played_samples);
      },
    ),
  );
});

test("an item that is done is named once", () => {
  const queue = new PlaybackQueue();
  queue.add("a", new Float32Array(100));
  queue.end("a");
  const { frame } = play(queue, 2);
  expect(queue.progress(frame)).toMatchObject([{ item_id: "a", played_samples: 100, ended: true }]);
  expect(queue.progress(frame)).toEqual([]);
  expect(queue.busy).toBe(false);
});

test("what has not left the speaker was not heard", () => {
  const start = { start_frame: 0, start_waiting: 5000 };
  const progress = { item_id: "a", dropped_samples: 0, nonzero_samples: 0, ended: false, ...start };
  expect(heardSamples({ ...progress, played_samples: 5000, since_frames: 0 }, 960)).toBe(4040);
  expect(heardSamples({ ...progress, played_samples: 500, since_frames: 0 }, 960)).toBe(0);
  // It ran dry 600 frames ago: only the rest of the latency is still under way.
  expect(heardSamples({ ...progress, played_samples: 5000, since_frames: 600 }, 960)).toBe(4640);
  expect(heardSamples({ ...progress, played_samples: 5000, since_frames: 9999 }, 960)).toBe(5000);
});

test("the frame of an item's first sample is told, and what waited then", () => {
  const queue = new PlaybackQueue();
  queue.add("a", new Float32Array(200));
  queue.end("a");
  queue.add("b", new Float32Array(3000));
  const { frame } = play(queue, 3, 1280);
  expect(queue.progress(frame)).toMatchObject([
    { item_id: "a", start_frame: 1280, start_waiting: 200 },
    { item_id: "b", start_frame: 1480, start_waiting: 3000 },
  ]);
  queue.add("c", new Float32Array(10));
  expect(queue.flush(frame)).toMatchObject([{ item_id: "b" }, { item_id: "c", start_frame: -1 }]);
});
