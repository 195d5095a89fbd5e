/** Traits of the model, as they change. */
import type { AnyModel } from "@anywidget/types";
import type { Traits } from "./link.ts";

/** Calls `show` now and on each change of the traits `names`, until `signal` ends. */
export function follow(
  model: AnyModel<Traits>,
  names: string[],
  show: () => void,
  signal: AbortSignal,
): void {
  for (const name of names) {
    model.on(`change:${name}`, show);
    signal.addEventListener("abort", () => model.off(`change:${name}`, show));
  }
  show();
}
