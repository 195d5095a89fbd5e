/** Turns as the kernel sends them, five numbers a turn, and questions about them. Pure. */

export interface Turn {
  onset_ms: number;
  /** This and the end are missing while the turn is open. */
  speechEnd_ms: number | null;
  start_ms: number;
  end_ms: number | null;
  /** Ended while its speaker went on. */
  cut: boolean;
  /** Nobody spoke. */
  wrong: boolean;
}

const MISSING = -1;
const FIELDS = 5;

export function turnsOf(numbers: Int32Array): Turn[] {
  const turns: Turn[] = [];
  for (let at = 0; at + FIELDS <= numbers.length; at += FIELDS) {
    const [onset_ms, speechEnd, start_ms, end, bits] = numbers.subarray(at, at + FIELDS) as unknown as [
      number,
      number,
      number,
      number,
      number,
    ];
    turns.push({
      onset_ms,
      speechEnd_ms: speechEnd === MISSING ? null : speechEnd,
      start_ms,
      end_ms: end === MISSING ? null : end,
      cut: (bits & 1) > 0,
      wrong: (bits & 2) > 0,
    });
  }
  return turns;
}

/** The turn whose audio holds a moment, else the one that begins or ends nearest to it. */
export function turnAt(turns: Turn[], time_ms: number): Turn | undefined {
  let best: Turn | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const turn of turns) {
    const end_ms = turn.end_ms ?? Number.POSITIVE_INFINITY;
    const far = Math.max(turn.start_ms - time_ms, time_ms - end_ms, 0);
    if (far < least) {
      best = turn;
      least = far;
    }
  }
  return best;
}

/** A new list with one more stretch, those joined that touch; in order. */
export function withMark(marks: [number, number][], start_ms: number, end_ms: number): [number, number][] {
  let [low, high] = start_ms < end_ms ? [start_ms, end_ms] : [end_ms, start_ms];
  const apart: [number, number][] = [];
  for (const [from, to] of marks) {
    if (to < low || from > high) apart.push([from, to]);
    else [low, high] = [Math.min(low, from), Math.max(high, to)];
  }
  return [...apart, [low, high] as [number, number]].sort(([a], [b]) => a - b);
}
