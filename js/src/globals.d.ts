declare module "worklet:*" {
  const code: string;
  export default code;
}

declare module "hash:code" {
  /** Hash of the built front end, code and style sheet; the kernel names the same. */
  const hash: string;
  export default hash;
}

// The part of the AudioWorklet scope that TypeScript's DOM library leaves out.
declare const sampleRate: number;
declare const currentFrame: number;
declare abstract class AudioWorkletProcessor {
  readonly port: MessagePort;
  abstract process(inputs: Float32Array[][], outputs: Float32Array[][]): boolean;
}
declare function registerProcessor(
  name: string,
  processor: new (options?: AudioWorkletNodeOptions) => AudioWorkletProcessor,
): void;
