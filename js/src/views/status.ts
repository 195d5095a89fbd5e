/** What is going on, in one line of words. Problems come before states, and states before hints. */
import type { Port } from "../port.ts";

const PHASES: Record<string, string> = {
  idle: "Ready.",
  connecting: "Connecting … Local models take some seconds the first time.",
  listening: "Listening. Speak whenever you like.",
  ready: "The session is open. Start listening, or type below.",
  hearing: "I hear you …",
  thinking: "Thinking …",
  speaking: "Speaking. Interrupt by talking, or press Esc.",
  closed: "The session has ended. Start again whenever you like.",
};

/** A colour is never the only sign: the kind also chooses a shape. */
export type StatusKind = "problem" | "wait" | "live" | "rest";

/** What says that the session is being written down: words, since a red dot alone may be the microphone's. */
export function recorded(port: Pick<Port, "model">): string {
  return port.model.get("recorded") === true ? "Being recorded" : "";
}

export function status(port: Port): { text: string; kind: StatusKind } {
  if (port.link.dead) return { text: port.problem, kind: "problem" };
  if (!port.welcomed) return { text: "Not connected to a kernel. Run the cell to begin.", kind: "rest" };
  const trouble = port.problem || String(port.model.get("problem") ?? "");
  if (trouble) return { text: trouble, kind: "problem" };
  if (port.micState === "asking") {
    return { text: "Your browser asks whether this page may use the microphone: allow it.", kind: "wait" };
  }
  if (port.mic.stalled) {
    return { text: "The kernel is busy; your voice is kept and arrives when it is free.", kind: "wait" };
  }
  const busy = String(port.model.get("busy") ?? "");
  if (busy) return { text: busy, kind: "wait" };
  const phase = String(port.model.get("phase") ?? "");
  if (!phase) {
    const words = port.playback.speaking ? "Playing." : port.micState === "on" ? "Recording." : "Ready.";
    return { text: words, kind: port.micState === "on" || port.playback.speaking ? "live" : "rest" };
  }
  const listening = phase === "listening" && port.micState !== "on" ? "ready" : phase;
  const kind =
    listening === "connecting" || listening === "thinking"
      ? "wait"
      : listening === "idle" || listening === "closed"
        ? "rest"
        : "live";
  return { text: PHASES[listening] ?? phase, kind };
}
