/** What the assistant wants to call: a card a call, with its arguments as plain words, and the choice. */
import type { Port } from "../port.ts";
import type { CallRow } from "../protocol.ts";
import { button, h, newId, setText } from "./dom.ts";

const STATES: Record<CallRow["state"], string> = {
  pending: "waits for you",
  approved: "allowed",
  running: "running …",
  done: "done",
  failed: "failed",
  denied: "not allowed",
  timed_out: "took too long",
  cancelled: "cancelled",
};
const LATEST = 5;

/** Whatever waits is shown, and the latest of the rest, in the order of their coming. */
export function shownCalls(rows: CallRow[]): CallRow[] {
  const latest = new Set(rows.slice(-LATEST));
  return rows.filter((row) => row.state === "pending" || latest.has(row));
}

class Card {
  readonly root: HTMLElement;
  readonly #lead = h("span");
  readonly #state = h("span", { class: "rt-call-state" });
  readonly #arguments = h("pre", { class: "rt-call-arguments", dir: "ltr", tabindex: 0 });
  readonly #choice: HTMLElement;

  constructor(port: Port, row: CallRow) {
    const id = newId("call");
    const answer = { call_id: row.call_id, digest: row.digest };
    const choose = (name: "approve" | "deny") => {
      // One press is enough, and the place stays where the keyboard is.
      for (const one of this.#choice.querySelectorAll("button")) one.disabled = true;
      this.root.focus();
      port.action(name, answer);
    };
    this.#choice = h(
      "div",
      { class: "rt-call-choice" },
      button("Approve", () => choose("approve"), { "aria-describedby": id }),
      button("Deny", () => choose("deny"), { "aria-describedby": id }),
    );
    const title = h("p", { id }, this.#lead, " ", h("code", { dir: "ltr" }, row.name));
    this.root = h(
      "div",
      { class: "rt-call", role: "group", "aria-labelledby": id, tabindex: -1, "data-call": row.call_id },
      h("div", { class: "rt-call-title" }, title, this.#state),
      this.#arguments,
      this.#choice,
    );
    this.#arguments.setAttribute("aria-label", "Arguments");
    setText(this.#arguments, row.arguments);
    this.show(row);
  }

  show(row: CallRow): void {
    this.root.dataset.state = row.state;
    setText(this.#lead, row.state === "pending" ? "The assistant wants to call" : "Tool");
    setText(this.#state, [STATES[row.state] ?? row.state, row.message].filter(Boolean).join(": "));
    this.#choice.hidden = row.state !== "pending";
    this.#arguments.hidden = row.state !== "pending";
  }
}

export function callCards(port: Port, signal: AbortSignal): HTMLElement {
  const root = h("div", { role: "region", "aria-label": "Calls of tools", hidden: true });
  const spoken = h("div", { class: "rt-sr-only", role: "status", "aria-live": "polite" });
  const shown = new Map<string, Card>();

  const show = () => {
    const kept = new Set(shownCalls([...port.calls.values()]));
    for (const [id, card] of shown) {
      const row = port.calls.get(id);
      if (!row || !kept.has(row)) {
        card.root.remove();
        shown.delete(id);
      }
    }
    for (const row of kept) {
      const card = shown.get(row.call_id);
      if (card) card.show(row);
      else {
        const made = new Card(port, row);
        shown.set(row.call_id, made);
        root.append(made.root);
        if (row.state === "pending") setText(spoken, `The assistant wants to call ${row.name}.`);
      }
    }
    root.hidden = shown.size === 0;
  };
  port.on("calls", show, signal);
  show();
  return h("div", {}, root, spoken);
}
