/**
 * Numbered messages that arrive complete and in order.
 *
 * The sender keeps what is not acknowledged; the receiver takes only the next number and names it when
 * something is missing; the sender then starts again from there (go-back-N). Pure: no clock, no socket.
 */

/** Sender: what has been numbered and is not acknowledged yet. */
export class Outbox<T> {
  /** Number of the oldest entry that is still held. */
  first = 0;
  #kept: T[] = [];

  constructor(readonly capacity: number) {}

  /** Number that the next entry will get; as many have been added so far. */
  get next(): number {
    return this.first + this.#kept.length;
  }

  add(entry: T): number {
    this.#kept.push(entry);
    if (this.#kept.length > this.capacity) {
      this.#kept.shift();
      this.first += 1;
    }
    return this.next - 1;
  }

  /** Everything before `seq` has arrived. Numbers never given out are ignored. */
  ack(seq: number): void {
    const arrived = Math.min(seq, this.next) - this.first;
    if (arrived > 0) {
      this.#kept.splice(0, arrived);
      this.first += arrived;
    }
  }

  /** The held entries from `seq` on, `limit` at most. */
  from(seq: number, limit = Number.POSITIVE_INFINITY): T[] {
    const start = Math.max(0, seq - this.first);
    return this.#kept.slice(start, start + limit);
  }
}

/** Receiver: takes each number once. */
export class Inbox {
  expected = 0;

  /** `"take"` the message, drop it as a `"repeat"`, or ask again because of a `"gap"` before it. */
  receive(seq: number): "take" | "repeat" | "gap" {
    if (seq > this.expected) return "gap";
    if (seq < this.expected) return "repeat";
    this.expected += 1;
    return "take";
  }
}
