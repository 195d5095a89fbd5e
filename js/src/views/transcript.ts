/** The conversation in words, both sides. Only finished sentences are announced. */
import { follow } from "../follow.ts";
import type { Port } from "../port.ts";
import type { TranscriptRow } from "../protocol.ts";
import { h, setText } from "./dom.ts";

const WHO: Record<string, string> = { user: "You", assistant: "Assistant", system: "System" };

function words({ state, text, role }: TranscriptRow): string {
  if (state === "waiting") return role === "user" ? "(awaiting transcript)" : "…";
  if (state === "failed") return text || "(could not be written down)";
  return text;
}

class Row {
  readonly root: HTMLElement;
  readonly #text = h("span", { class: "rt-words", dir: "auto" });
  readonly #note = h("span", { class: "rt-note" });

  constructor(row: TranscriptRow) {
    const who = WHO[row.role] ?? row.role;
    this.root = h(
      "div",
      { class: `rt-turn rt-${row.role === "user" ? "user" : "assistant"}`, "data-item": row.item_id },
      h("span", { class: "rt-who" }, who),
      h("span", {}, this.#text, this.#note),
    );
    this.show(row);
  }

  show(row: TranscriptRow): void {
    setText(this.#text, words(row));
    const cut = row.state === "cut" ? `(cut at ${((row.heard_ms ?? 0) / 1000).toFixed(1)} s)` : "";
    setText(this.#note, cut);
    this.root.dataset.state = row.state;
  }
}

export function transcript(port: Port, signal: AbortSignal): HTMLElement {
  const empty = h("p", { class: "rt-empty" }, "What you and the assistant say will appear here.");
  const started = h("p", { class: "rt-started", hidden: true }, "<< Session Started >>");
  const rows = h("div");
  const spoken = h("div", { class: "rt-sr-only", role: "log", "aria-live": "polite" });
  const root = h(
    "div",
    { class: "rt-transcript", role: "region", "aria-label": "Transcript", tabindex: 0 },
    started,
    empty,
    rows,
  );
  const shown = new Map<string, Row>();
  const announced = new Set<string>();

  const show = () => {
    const atEnd = root.scrollHeight - root.scrollTop - root.clientHeight < 40;
    for (const [id, row] of shown) {
      if (!port.transcript.has(id)) {
        row.root.remove();
        shown.delete(id);
      }
    }
    for (const row of port.transcript.values()) {
      const view = shown.get(row.item_id);
      if (view) view.show(row);
      else {
        const made = new Row(row);
        shown.set(row.item_id, made);
        rows.append(made.root);
      }
      if ((row.state === "final" || row.state === "cut") && row.text && !announced.has(row.item_id)) {
        announced.add(row.item_id);
        spoken.replaceChildren(`${WHO[row.role] ?? row.role}: ${row.text}`);
      }
    }
    const live = port.welcomed && port.model.get("session_started") === true;
    started.hidden = !live;
    empty.hidden = live || shown.size > 0;
    if (atEnd) root.scrollTop = root.scrollHeight;
  };
  port.on("transcript", show, signal);
  port.on("state", show, signal);
  follow(port.model, ["session_started"], show, signal);
  return h("div", { class: "rt-transcript-frame" }, root, spoken);
}
