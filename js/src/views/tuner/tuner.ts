/** The tuner: one recording, and what every setting of the turn detection would have made of it. */
import type { Port } from "../../port.ts";
import { timeWords } from "../../tuner/draw.ts";
import { tunerOf } from "../../tuner/tuner.ts";
import { h, setText } from "../dom.ts";
import { counts, frame, statusLine } from "../frame.ts";
import { tunerDials } from "./dials.ts";
import { applyPanel, marksPanel, sourcePanel } from "./panels.ts";
import { tunerPicture, tunerSteps } from "./picture.ts";
import { tunerPlane } from "./plane.ts";

export function renderTuner(port: Port, el: HTMLElement, signal: AbortSignal): void {
  const tuner = tunerOf(port);
  const root = frame(el, "vad-tuner");
  root.setAttribute("aria-label", "Tuning the turn detection");
  const badge = h("span", { class: "rt-badge" });
  const length = h("span", { class: "rt-tuner-length" });
  const showSound = () => {
    const { sound } = tuner;
    setText(badge, sound?.detector ?? "");
    setText(
      length,
      sound ? `${sound.name}, ${timeWords(sound.duration_ms / 1000, 1, sound.duration_ms / 1000)}` : "",
    );
    length.hidden = !sound || sound.duration_ms === 0;
    root.dataset.sound = String(sound?.number ?? "");
  };
  const showTurns = () => {
    root.dataset.turns = String(tuner.turns.length);
    root.dataset.marking = String(tuner.marking);
  };
  tuner.on("sound", showSound, signal);
  tuner.on("turns", showTurns, signal);
  tuner.on("labels", showTurns, signal);
  root.append(
    h("header", {}, h("div", { class: "rt-title" }, h("h3", {}, "Turn detection"), badge), length),
    statusLine(port, root, ["busy"], signal),
    tunerPicture(tuner, signal),
    tunerSteps(tuner, signal),
    h("div", { class: "rt-tuner-middle" }, tunerDials(tuner, signal), tunerPlane(tuner, signal)),
    applyPanel(port, tuner, signal),
    marksPanel(tuner, signal),
    sourcePanel(port, signal),
  );
  showSound();
  showTurns();
  counts(port, root, signal);
}
