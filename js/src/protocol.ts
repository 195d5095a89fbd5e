/** The messages between the kernel and this page: the types of a table that tests hold both sides to. */
import type table from "../../src/rt_notebook/widgets/messages.json";

export type ToKernel = keyof typeof table.to_kernel;
export type ToFront = keyof typeof table.to_front;

export const SAMPLE_RATE_HZ = 24_000;

export interface Fields {
  [name: string]: unknown;
}

export interface Message extends Fields {
  type: ToFront;
}

export interface TranscriptRow {
  item_id: string;
  role: string;
  text: string;
  state: "waiting" | "partial" | "final" | "cut" | "failed";
  time_s: number;
  heard_ms?: number | null;
}

export interface CallRow {
  call_id: string;
  /** Stands for this call with these arguments: what was read is what is allowed. */
  digest: string;
  name: string;
  arguments: string;
  state: "pending" | "approved" | "running" | "done" | "failed" | "denied" | "timed_out" | "cancelled";
  message: string;
}

export interface EventRow {
  id: number;
  t_s: number;
  direction: "sent" | "received" | "local";
  type: string;
  text: string;
  audio_ms: number;
  count: number;
}
