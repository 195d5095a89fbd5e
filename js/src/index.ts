/** Entry of the widget: one `Port` for a model, one view for each place that shows it. */
import type { AnyWidget } from "@anywidget/types";
import type { Traits } from "./link.ts";
import { Port } from "./port.ts";
import { renderAudioPort } from "./views/audio-port.ts";
import { renderPlayground } from "./views/playground.ts";

const widget: AnyWidget<Traits> = () => {
  let port: Port;
  return {
    initialize({ model, signal }) {
      port = new Port(model, signal);
    },
    render({ model, el, signal }) {
      const render = model.get("kind") === "playground" ? renderPlayground : renderAudioPort;
      render(port, el, signal);
      port.shown(signal);
    },
  };
};

export default widget;
