/** What is done with the settings, what they are tried on, and the marks. */
import { follow } from "../../follow.ts";
import type { Port } from "../../port.ts";
import type { Tuner } from "../../tuner/tuner.ts";
import { button, h, newId, setText } from "../dom.ts";
import { meter } from "../meter.ts";
import { micButton } from "../mic-button.ts";

/** Where there is no clipboard for the page, the selection does it. */
async function copyText(text: string, shown: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    getSelection()?.selectAllChildren(shown);
    return document.execCommand("copy");
  }
}

export function applyPanel(port: Port, tuner: Tuner, signal: AbortSignal): HTMLElement {
  const apply = button("Apply to session", () => port.action("apply"), {
    class: "rt-button rt-primary rt-apply",
  });
  const words = h("span", { class: "rt-tuner-applied", role: "status", "aria-live": "polite" });
  const showState = () => {
    const state = String(port.model.get("session_state") ?? "");
    apply.disabled = !port.welcomed || port.link.dead || state === "" || state === "closed";
    const none = "No session is given to apply them to: VadTuner(session=...).";
    setText(words, state === "" ? none : String(port.model.get("note") ?? "") || `The session is ${state}.`);
  };
  port.on("state", showState, signal);
  follow(port.model, ["session_state", "note"], showState, signal);
  const pre = h("pre", { class: "rt-tuner-json", tabindex: 0 });
  let dialect = "ga";
  const said = h("span", { class: "rt-hint", role: "status", "aria-live": "polite" });
  const copy = (name: string) => async () => {
    dialect = name;
    show();
    setText(said, (await copyText(pre.textContent ?? "", pre)) ? "Copied." : "Select the text and copy it.");
  };
  const show = () => setText(pre, tuner.json[dialect] ?? "");
  tuner.on("turns", show, signal);
  show();
  return h(
    "div",
    {},
    h("div", { class: "rt-bar" }, apply, words),
    h(
      "details",
      { class: "rt-panel" },
      h("summary", {}, "Settings as JSON"),
      h(
        "div",
        { class: "rt-bar" },
        button("Copy as JSON (GA)", copy("ga")),
        button("Copy as JSON (preview)", copy("preview")),
        said,
      ),
      pre,
    ),
  );
}

const NOISES = ["white", "pink", "hum", "babble"];
const LEVELS_DB = [30, 20, 10, 5, 0];

function choice(label: string, values: (string | number)[], chosen: string | number, unit: string) {
  const id = newId("choice");
  const options = values.map((value) =>
    h("option", { value, selected: value === chosen }, `${value}${unit}`),
  );
  const select = h("select", { id }, ...options);
  return { select, parts: [h("label", { for: id, class: "rt-sr-only" }, label), select] };
}

export function sourcePanel(port: Port, signal: AbortSignal): HTMLElement {
  const noise = choice("Noise", NOISES, "pink", " noise");
  const level = choice("Level of the noise below the voice", LEVELS_DB, 20, " dB below");
  const voice = button("Built-in voice", () =>
    port.action("voice", { noise: noise.select.value, snr_db: Number(level.select.value) }),
  );
  const mic = micButton(port, signal, "Record the microphone", "Stop and use it");
  mic.classList.remove("rt-primary");
  const record = button("Record this session", () => port.action("record"));
  const refresh = button("Take in this session", () => port.action("refresh"));
  const show = () => {
    const state = String(port.model.get("session_state") ?? "");
    const recorded = port.model.get("recorded") === true;
    const alive = port.welcomed && !port.link.dead;
    record.hidden = state === "" || recorded;
    record.disabled = !alive || state === "closed";
    refresh.hidden = !recorded;
    refresh.disabled = !alive || port.model.get("busy") !== "";
    voice.disabled = refresh.disabled;
  };
  port.on("state", show, signal);
  follow(port.model, ["session_state", "recorded", "busy"], show, signal);
  return h(
    "details",
    { class: "rt-panel" },
    h("summary", {}, "Try them on something else"),
    h("div", { class: "rt-bar" }, record, refresh, mic, meter(port, signal)),
    h("div", { class: "rt-bar" }, voice, ...noise.parts, ...level.parts),
  );
}

export function marksPanel(tuner: Tuner, signal: AbortSignal): HTMLElement {
  const toggle = button("Mark by dragging", () => {
    tuner.marking = !tuner.marking;
    toggle.setAttribute("aria-pressed", String(tuner.marking));
    tuner.changed("labels");
  });
  toggle.setAttribute("aria-pressed", "false");
  const field = (label: string) =>
    h("input", { type: "number", min: 0, step: 0.05, "aria-label": label, placeholder: label });
  const [from, to] = [field("from (s)"), field("to (s)")];
  const add = button("Add mark", () => {
    const [start_ms, end_ms] = [Number(from.value) * 1000, Number(to.value) * 1000];
    if (from.value === "" || !(end_ms > start_ms)) return;
    tuner.mark(start_ms, end_ms);
    from.value = "";
    to.value = "";
  });
  const turns = button("Start from these turns", () =>
    tuner.setMarks(
      tuner.turns
        .filter((turn) => turn.speechEnd_ms !== null)
        .map((turn): [number, number] => [turn.onset_ms, turn.speechEnd_ms!]),
    ),
  );
  const clear = button("Clear", () => tuner.setMarks([]), { class: "rt-button rt-quiet" });
  const list = h("ul", { class: "rt-tuner-marks" });
  const count = h("span", { class: "rt-count" });
  const show = () => {
    setText(count, tuner.labels.length > 0 ? `(${tuner.labels.length})` : "");
    clear.hidden = tuner.labels.length === 0;
    list.replaceChildren(
      ...tuner.labels.map(([start_ms, end_ms], at) => {
        const words = `${(start_ms / 1000).toFixed(2)} to ${(end_ms / 1000).toFixed(2)} s`;
        const drop = () => tuner.setMarks(tuner.labels.filter((_, other) => other !== at));
        const attributes = { class: "rt-link", "aria-label": `Remove the mark ${words}` };
        return h("li", {}, words, " ", button("remove", drop, attributes));
      }),
    );
  };
  tuner.on("labels", show, signal);
  tuner.on("sound", show, signal);
  show();
  return h(
    "details",
    { class: "rt-panel" },
    h("summary", {}, "Marks: when somebody really speaks ", count),
    h("p", { class: "rt-hint" }, "With marks the plane shows what settings cut off, miss and delay."),
    h("div", { class: "rt-bar" }, toggle, turns, clear),
    h("div", { class: "rt-bar rt-tuner-add" }, from, to, add),
    list,
  );
}
