/** What can be wrong with a microphone: one sentence each, with the remedy. */

export type MicProblem =
  | "insecure"
  | "unsupported"
  | "no-device"
  | "denied"
  | "busy"
  | "lost"
  | "worklet"
  | "link"
  | "failed";

export const MIC_PROBLEMS: Record<MicProblem, string> = {
  insecure:
    "The browser gives no microphone to an insecure page: open the notebook over https:// or on localhost.",
  unsupported:
    "This place gives pages no microphone (some editors do not): open the notebook in JupyterLab in a browser.",
  "no-device": "No microphone was found: connect one and press Start listening again, or type below.",
  denied:
    "The microphone is blocked for this page: allow it in the site settings beside the address, then press Start listening again.",
  busy: "The microphone is in use by another program: close that program, then press Start listening again.",
  lost: "The microphone was disconnected or its permission withdrawn: check it, then press Start listening again.",
  worklet:
    "This page's security policy blocks audio processing: allow blob: in its script-src, or open JupyterLab itself.",
  link: "The link to the kernel is gone: run the cell again.",
  failed:
    "The microphone could not be opened: check it in the system's settings, then press Start listening again.",
};

/** What is wrong before anything is asked for; null for nothing. */
export function missingSupport(): MicProblem | null {
  if (!globalThis.isSecureContext) return "insecure";
  if (!navigator.mediaDevices?.getUserMedia || typeof AudioContext === "undefined") return "unsupported";
  return null;
}

/** What an exception of getUserMedia means. */
export function problemOf(error: unknown): MicProblem {
  switch (error instanceof Error || error instanceof DOMException ? error.name : "") {
    case "NotAllowedError":
      return "denied";
    case "SecurityError":
      return "unsupported";
    case "NotFoundError":
    case "OverconstrainedError":
      return "no-device";
    case "NotReadableError":
      return "busy";
    case "AbortError":
    case "NotSupportedError":
      return "worklet";
    default:
      return "failed";
  }
}
