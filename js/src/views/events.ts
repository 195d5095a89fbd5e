/** Every event that crossed the wire, in short. */
import type { Port } from "../port.ts";
import type { EventRow } from "../protocol.ts";
import { h, setText } from "./dom.ts";

const ARROWS = { sent: "↑", received: "↓", local: "·" };
const SHOWN = 200;

function line(row: EventRow): HTMLElement {
  const audio = row.audio_ms > 0 ? `${Math.round(row.audio_ms)} ms of audio` : "";
  const times = row.count > 1 ? ` ×${row.count}` : "";
  return h(
    "tr",
    {
      class: "rt-event",
      "data-error": row.type === "error" || row.type === "local.error",
    },
    h("td", { class: "rt-time" }, `${row.t_s.toFixed(2)} s`),
    h("td", { title: row.direction }, ARROWS[row.direction]),
    h("td", {}, row.type + times),
    h("td", { class: "rt-event-text", dir: "auto" }, [audio, row.text].filter(Boolean).join(" · ")),
  );
}

export function eventList(port: Port, signal: AbortSignal): HTMLElement {
  const count = h("span", { class: "rt-count" });
  const body = h("tbody");
  const head = h(
    "thead",
    {},
    h("tr", {}, ...["Time", "Way", "Event", "What"].map((title) => h("th", { scope: "col" }, title))),
  );
  const table = h("table", { class: "rt-events" }, head, body);
  const scroller = h(
    "div",
    { class: "rt-scroll", tabindex: 0, role: "region", "aria-label": "Events" },
    table,
  );
  const root = h("details", { class: "rt-panel" }, h("summary", {}, "Events ", count), scroller);

  const show = () => {
    setText(count, port.events.size ? `(${port.events.size})` : "");
    if (!root.open) return;
    body.replaceChildren(...[...port.events.values()].slice(-SHOWN).reverse().map(line));
  };
  root.addEventListener("toggle", show);
  port.on("events", show, signal);
  show();
  return root;
}
