import fc from "fast-check";
import { expect, test } from "vitest";
import { Inbox, Outbox } from "../src/carrier.ts";

test("an outbox numbers, keeps and forgets", () => {
  const outbox = new Outbox<string>(10);
  expect([outbox.add("a"), outbox.add("b"), outbox.add("c")]).toEqual([0, 1, 2]);
  outbox.ack(1);
  expect(outbox.first).toBe(1);
  expect(outbox.from(0)).toEqual(["b", "c"]);
  expect(outbox.from(1, 1)).toEqual(["b"]);
  outbox.ack(99);
  expect(outbox.first).toBe(3);
  expect(outbox.add("d")).toBe(3);
});

test("a full outbox gives up its oldest entry", () => {
  const outbox = new Outbox<number>(2);
  for (let i = 0; i < 5; i++) outbox.add(i);
  expect([outbox.first, outbox.next]).toEqual([3, 5]);
  expect(outbox.from(0)).toEqual([3, 4]);
});

test("whatever the link loses, everything arrives once and in order", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.array(fc.boolean(), { maxLength: 200 }),
      (count, losses) => {
        const outbox = new Outbox<number>(1000);
        const inbox = new Inbox();
        const received: number[] = [];
        const loss = losses.values();
        const deliver = (seq: number, value: number) => {
          if (loss.next().value) return;
          const verdict = inbox.receive(seq);
          if (verdict === "take") received.push(value);
          outbox.ack(inbox.expected);
        };
        for (let i = 0; i < count; i++) deliver(outbox.add(i), i);
        // The losses come to an end, and so must the sending again.
        for (let round = 0; round <= losses.length; round++) {
          const first = outbox.first;
          outbox.from(first).forEach((value, offset) => void deliver(first + offset, value));
        }
        expect(received).toEqual([...Array(count).keys()]);
      },
    ),
  );
});
