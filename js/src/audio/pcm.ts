/** PCM16 little-endian and its level. Typed arrays are little-endian on every machine that runs a browser. */

export const SILENCE_DBFS = -100;

export function toFloat(pcm: Int16Array): Float32Array<ArrayBuffer> {
  const samples = new Float32Array(pcm.length);
  for (let i = 0; i < pcm.length; i++) samples[i] = pcm[i]! / 32768;
  return samples;
}

/** RMS level relative to full scale, in dB. */
export function levelDbfs(pcm: Int16Array): number {
  let power = 0;
  for (const sample of pcm) power += sample * sample;
  power /= Math.max(1, pcm.length) * 32768 * 32768;
  return power > 0 ? Math.max(SILENCE_DBFS, 10 * Math.log10(power)) : SILENCE_DBFS;
}

/** Whether a sample stands at the end of the scale. */
export function clips(pcm: Int16Array): boolean {
  return pcm.some((sample) => sample >= 32767 || sample <= -32768);
}

/** The bytes of a message's buffer as samples; copied, since the view may start at an odd address. */
export function samplesOf({ buffer, byteOffset, byteLength }: DataView): Int16Array {
  const bytes = buffer.slice(byteOffset, byteOffset + (byteLength & ~1));
  return new Int16Array(bytes as ArrayBuffer);
}
