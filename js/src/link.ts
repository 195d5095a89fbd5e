/** The widget's comm as typed messages. Knows when it is dead; numbers nothing. */
import type { AnyModel } from "@anywidget/types";
import type { Fields, Message, ToKernel } from "./protocol.ts";

export type Traits = Record<string, unknown>;

export class Link {
  readonly client = crypto.randomUUID?.() ?? String(Math.random());
  dead = false;
  #onDead: () => void = () => {};

  constructor(
    readonly model: AnyModel<Traits>,
    signal: AbortSignal,
    onMessage: (message: Message, buffers: DataView[]) => void,
  ) {
    const receive = (message: Message, buffers: DataView[]) => {
      if (message.client === undefined || message.client === this.client) onMessage(message, buffers ?? []);
    };
    const lost = () => this.die();
    model.on("msg:custom", receive);
    model.on("comm_live_update", lost);
    signal.addEventListener("abort", () => {
      model.off("msg:custom", receive);
      model.off("comm_live_update", lost);
    });
  }

  onDead(callback: () => void): void {
    this.#onDead = callback;
  }

  die(): void {
    if (this.dead) return;
    this.dead = true;
    this.#onDead();
  }

  /** Sends one message; false when the link is gone. */
  send(type: ToKernel, fields: Fields = {}, buffers: ArrayBuffer[] = []): boolean {
    if (this.dead) return false;
    try {
      this.model.send({ type, client: this.client, ...fields }, undefined, buffers);
      return true;
    } catch {
      this.die();
      return false;
    }
  }
}
