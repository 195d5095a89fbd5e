/**
 * Where a moment of an audio context lies on the page's clock.
 *
 * A context says how far it is; by the time the page hears of it, some time has passed, sometimes much. The
 * report that came fastest is the one to go by: the others tell how late they are. Pure: times come in.
 */

/** Reports kept: two clocks drift, so an old one does not count for ever. */
const KEPT = 50;
/** When so many in a row are later than the fastest by so much, the context has stood still meanwhile. */
const NEWEST = 10;
const STEP_S = 0.01;

export class RenderClock {
  /** Page time minus context time, report by report. */
  #offsets_s: number[] = [];

  /** The context was at `context_s`, and the page heard of it at `page_s`. */
  note(context_s: number, page_s: number): void {
    this.#offsets_s.push(page_s - context_s);
    if (this.#offsets_s.length > KEPT) this.#offsets_s.shift();
    const newest = this.#offsets_s.slice(-NEWEST);
    if (newest.length === NEWEST && Math.min(...newest) > Math.min(...this.#offsets_s) + STEP_S) {
      this.#offsets_s = newest;
    }
  }

  /** When that moment of the context was, on the page's clock; NaN before the first report. */
  page_s(context_s: number): number {
    return this.#offsets_s.length > 0 ? context_s + Math.min(...this.#offsets_s) : Number.NaN;
  }
}

/** The page's clock in seconds, as all messages to the kernel have it. */
export function now_s(): number {
  return performance.now() / 1000;
}
