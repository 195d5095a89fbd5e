/** Tells views what has changed, topic by topic. */
export class Topics<T> {
  readonly #listeners = new Map<T, Set<() => void>>();

  /** Calls `callback` on each change of `topic` until `signal` ends. */
  on(topic: T, callback: () => void, signal: AbortSignal): void {
    const listeners = this.#listeners.get(topic) ?? new Set();
    this.#listeners.set(topic, listeners.add(callback));
    signal.addEventListener("abort", () => listeners.delete(callback));
  }

  changed(topic: T): void {
    for (const callback of this.#listeners.get(topic) ?? []) callback();
  }
}
