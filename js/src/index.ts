/** Entry of the front end: one `Port` for a model, one view for each place that shows it. */
import type { InitializeProps, RenderProps } from "@anywidget/types";
import type { Traits } from "./link.ts";
import { Port } from "./port.ts";
import { renderAudioPort } from "./views/audio-port.ts";
import { renderPlayground } from "./views/playground.ts";
import { renderRoomTest } from "./views/room-test.ts";
import { renderTuner } from "./views/tuner/tuner.ts";

/** What the loader hands over to. It cleans up when a signal ends, and leaves nothing to call. */
export interface FrontEnd {
  initialize(props: InitializeProps<Traits>): void;
  render(props: RenderProps<Traits>): void;
}

const VIEWS: Record<string, typeof renderAudioPort> = {
  "audio-port": renderAudioPort,
  playground: renderPlayground,
  "room-test": renderRoomTest,
  "vad-tuner": renderTuner,
};

export default (): FrontEnd => {
  let port: Port;
  return {
    initialize({ model, signal }) {
      port = new Port(model, signal);
    },
    render({ model, el, signal }) {
      const render = VIEWS[String(model.get("kind"))] ?? renderAudioPort;
      render(port, el, signal);
      port.shown(signal);
    },
  };
};
