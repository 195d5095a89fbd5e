/** Loads a worklet from its text: from a blob: address, else data:, which other page policies allow. */
export async function loadWorklet(context: AudioContext, code: string): Promise<void> {
  if (!context.audioWorklet) throw new DOMException("AudioWorklet is missing", "NotSupportedError");
  const blob = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  try {
    await context.audioWorklet.addModule(blob);
  } catch {
    await context.audioWorklet.addModule(`data:text/javascript;charset=utf-8,${encodeURIComponent(code)}`);
  } finally {
    URL.revokeObjectURL(blob);
  }
}
