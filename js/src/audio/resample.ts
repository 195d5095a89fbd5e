/** Streaming change of sample rate: windowed sinc, no allocation after construction. */

const ZERO_CROSSINGS = 24;
const TABLE_STEPS = 512;
const KAISER_BETA = 9;
/** The passband ends here, as a part of the lower Nyquist frequency; the rest is the filter's slope. */
const PASSBAND = 0.92;

function besselI0(x: number): number {
  let sum = 1;
  let term = 1;
  for (let k = 1; k < 40; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function sincTable(): Float32Array {
  const table = new Float32Array(ZERO_CROSSINGS * TABLE_STEPS + 2);
  for (let i = 0; i < table.length; i++) {
    const x = i / TABLE_STEPS;
    const edge = Math.min(1, x / ZERO_CROSSINGS);
    const window = besselI0(KAISER_BETA * Math.sqrt(1 - edge * edge)) / besselI0(KAISER_BETA);
    table[i] = (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x)) * window;
  }
  return table;
}

export class Resampler {
  readonly #table = sincTable();
  readonly #scale: number;
  readonly #step: number;
  readonly #half: number;
  readonly #history: Float32Array;
  #filled: number;
  #position: number;

  /** `blockSamples` is the longest block that `push` will be given. */
  constructor(inHz: number, outHz: number, blockSamples = 128) {
    this.#step = inHz / outHz;
    this.#scale = Math.min(1, outHz / inHz) * PASSBAND;
    this.#half = Math.ceil(ZERO_CROSSINGS / this.#scale);
    this.#history = new Float32Array(2 * this.#half + 2 * blockSamples + 2);
    // Silence stands before the first sample, so that output sample n is input time n * step exactly.
    this.#filled = this.#half;
    this.#position = this.#half;
  }

  /** Input samples by which the output runs behind. */
  get delaySamples(): number {
    return this.#half;
  }

  /** Most output samples that one `push` of `count` input samples can give. */
  maxOutput(count: number): number {
    return Math.ceil(count / this.#step) + 1;
  }

  /** Takes `block`, writes into `out`, returns how many samples were written. */
  push(block: Float32Array, out: Float32Array): number {
    const history = this.#history;
    history.set(block, this.#filled);
    this.#filled += block.length;
    let written = 0;
    while (this.#position + this.#half < this.#filled) {
      out[written++] = this.#at(this.#position);
      this.#position += this.#step;
    }
    const used = Math.floor(this.#position) - this.#half;
    if (used > 0) {
      history.copyWithin(0, used, this.#filled);
      this.#filled -= used;
      this.#position -= used;
    }
    return written;
  }

  #at(position: number): number {
    const last = Math.min(this.#filled - 1, Math.floor(position + this.#half));
    let sum = 0;
    for (let i = Math.max(0, Math.ceil(position - this.#half)); i <= last; i++) {
      const x = Math.abs(position - i) * this.#scale * TABLE_STEPS;
      const index = Math.floor(x);
      if (index >= this.#table.length - 1) continue;
      const low = this.#table[index]!;
      sum += this.#history[i]! * (low + (this.#table[index + 1]! - low) * (x - index));
    }
    return sum * this.#scale;
  }
}
