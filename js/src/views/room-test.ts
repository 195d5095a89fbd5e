/** Half a minute of the room, then sentences to read aloud, then settings. */
import { follow } from "../follow.ts";
import type { Port } from "../port.ts";
import { button, h, newId, setText } from "./dom.ts";
import { counts, frame, statusLine } from "./frame.ts";
import { meter } from "./meter.ts";
import { micButton } from "./mic-button.ts";

const WORDS: Record<string, string> = {
  ready:
    "Half a minute of your room as it is, then some sentences read aloud. Out of it come the settings for this microphone in this room.",
  quiet: "Be quiet now, and let the room be as it is …",
  pause: "…",
  sentence: "Read this aloud. Pause at each “…” as if you were thinking. Then press Next.",
  judging: "Trying every setting on what was heard …",
  done: "For this microphone in this room:",
};

const NAMES: Record<string, string> = {
  threshold: "threshold",
  prefix_padding_ms: "padding",
  silence_duration_ms: "silence",
};

function settingsOf(value: Record<string, number>): string {
  return Object.entries(NAMES)
    .map(([key, name]) => `${name} ${value[key]}${key.endsWith("_ms") ? " ms" : ""}`)
    .join(" · ");
}

export function renderRoomTest(port: Port, el: HTMLElement, signal: AbortSignal): void {
  const root = frame(el, "room-test");
  root.setAttribute("aria-label", "Room test");
  const mic = micButton(port, signal, "Start the test", "Stop");
  const voice = button("Try with the built-in voice", () => port.action("try_voice"));
  const next = button("Next", () => port.action("next"), { class: "rt-button rt-primary rt-next" });
  const apply = button("Apply to session", () => port.action("apply"), { class: "rt-button rt-primary" });
  const wordsId = newId("room");
  const words = h("p", { id: wordsId, class: "rt-room-words" });
  const prompt = h("p", { class: "rt-room-prompt", "aria-live": "assertive" });
  const progress = h("progress", { max: 1, "aria-labelledby": wordsId });
  const chosen = h("p", { class: "rt-room-chosen" });
  const reasons = h("ul", { class: "rt-room-reasons" });

  const show = () => {
    const step = String(port.model.get("step"));
    const value = (port.model.get("value") ?? {}) as Record<string, number>;
    const applied = (port.model.get("applied") ?? {}) as Record<string, number>;
    const recommended = step === "done" && Object.keys(value).length > 0;
    const running = ["quiet", "pause", "sentence"].includes(step);
    root.dataset.step = step;
    setText(words, WORDS[step] ?? "");
    setText(prompt, String(port.model.get("prompt") ?? ""));
    prompt.hidden = !["pause", "sentence"].includes(step);
    progress.hidden = !running;
    progress.value = Number(port.model.get("progress"));
    next.hidden = !running || step === "quiet";
    next.disabled = step !== "sentence" || port.link.dead;
    voice.hidden = running || step === "judging";
    voice.disabled = !port.welcomed || port.link.dead;
    mic.hidden = step === "judging";
    mic.classList.toggle("rt-primary", !recommended);
    chosen.hidden = !recommended;
    if (recommended) setText(chosen, settingsOf(value));
    const lines = step === "done" ? ((port.model.get("verdict") ?? []) as string[]) : [];
    reasons.hidden = lines.length === 0;
    if (reasons.textContent !== lines.join(""))
      reasons.replaceChildren(...lines.map((line) => h("li", {}, line)));
    apply.hidden = !recommended || port.model.get("has_session") !== true;
    const done = recommended && Object.keys(value).every((key) => applied[key] === value[key]);
    setText(apply, done ? "Applied" : "Apply to session");
    apply.disabled = done || port.link.dead;
    if (step === "sentence" && document.activeElement === document.body) next.focus();
  };
  root.append(
    h("div", { class: "rt-title" }, h("h3", {}, "Room test")),
    words,
    prompt,
    progress,
    chosen,
    reasons,
    h("div", { class: "rt-bar" }, next, mic, voice, apply, meter(port, signal)),
    statusLine(port, root, [], signal),
  );
  // Now that all of it is in the page, since a button may be given the focus.
  port.on("state", show, signal);
  const names = ["step", "prompt", "progress", "value", "verdict", "applied", "has_session"];
  follow(port.model, names, show, signal);
  counts(port, root, signal);
}
