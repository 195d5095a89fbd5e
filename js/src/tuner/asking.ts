/**
 * Asks the kernel for what a slider wants, one question at a time: while one is on its way, only the newest
 * place of each slider is kept. Pure but for the clock it is given.
 */

export type Changes = Record<string, unknown>;

/** An answer that takes longer than this is lost, or the kernel is busy: the next question goes out. */
export const PATIENCE_MS = 400;

export class Asking {
  /** Number of the last question. */
  n = 0;
  #kept: Changes = {};
  #open = false;
  #asked_ms = 0;

  constructor(
    readonly send: (n: number, changes: Changes) => void,
    readonly now_ms: () => number,
  ) {}

  /** Whether everything that was wanted has been answered. */
  get settled(): boolean {
    return !this.#open && Object.keys(this.#kept).length === 0;
  }

  want(changes: Changes): void {
    Object.assign(this.#kept, changes);
    this.go();
  }

  /** Sends what is kept, unless an answer is still awaited. */
  go(): void {
    if (Object.keys(this.#kept).length === 0) return;
    if (this.#open && this.now_ms() - this.#asked_ms < PATIENCE_MS) return;
    this.n += 1;
    this.#open = true;
    this.#asked_ms = this.now_ms();
    const changes = this.#kept;
    this.#kept = {};
    this.send(this.n, changes);
  }

  answered(n: number): void {
    if (n < this.n) return;
    this.#open = false;
    this.go();
  }
}
