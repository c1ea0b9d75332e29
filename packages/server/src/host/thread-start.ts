// What a thread of the server is started with (its first message: its code may be loaded before), and the names of what it and the supervisor ask each other
// (thread-calls.ts). Everything here is structured-cloneable.
import { once } from "node:events";
import type { MessagePort } from "node:worker_threads";
import type { Limits } from "../base/limits.ts";
import type { Gauge } from "../doors/http-metrics.ts";
import type { SharedLiveCounts } from "../doors/live-counts.ts";
import type { PortableError } from "../gate/portable-error.ts";
import type { SharedQuotas } from "../gate/shared-quota.ts";
import { deepFreeze } from "../model/manifest-json.ts";
import type { BuiltApp } from "./app-cache.ts";
import type { DoorOptions } from "./serve-door.ts";

/** What every thread is started with. */
export interface ThreadStart {
  readonly dataDir: string;
  readonly limits: Limits;
  /** JSON of a BuiltApp. */
  readonly app: string;
  /** What isolates start from: isolate/guest-code.ts. */
  readonly snapshot: ArrayBuffer;
  /** store/commit-mark.ts. */
  readonly mark: SharedArrayBuffer;
}

/** What the writer's thread is started with. */
export interface WriterStart extends ThreadStart {
  readonly migrate: "auto-safe" | "refuse";
  /** Whether none was before it: only that one makes a database. */
  readonly isFirst: boolean;
}

/** What a door's thread is started with. */
export interface DoorStart extends ThreadStart {
  /** Absolute; holds keelson/app.ts: templates of letters and the theme of pages are read from it. */
  readonly appDir: string;
  readonly options: DoorOptions;
  readonly host: string;
  readonly port: number;
  /** Whether the supervisor wants every finished request. */
  readonly wantsTraces: boolean;
  readonly quotas: SharedQuotas;
  readonly metrics: { readonly memory: SharedArrayBuffer; readonly part: number };
  /** Counted in the same part. */
  readonly liveCounts: SharedLiveCounts;
  /** To the writer. */
  readonly writer: MessagePort;
}

/** Another version of the app, for a door that is held. */
export interface ServeOrder {
  readonly app: string;
  readonly writer: MessagePort;
}

/** A failure that no request is told of, or that is not its caller's. */
export interface ThreadReport {
  readonly error: PortableError;
  readonly requestId: string | null;
}

/** Numbers of one thread, by what the sum over threads is of them. */
export interface ThreadGauges {
  readonly sum: readonly Gauge[];
  readonly max: readonly Gauge[];
}

/** Waits for what this thread is to do. @param port to the supervisor. */
export async function startOf<T extends ThreadStart>(port: MessagePort): Promise<T> {
  const [start] = (await once(port, "message")) as unknown as readonly [T];
  return start;
}

/** The app of a start. */
export function appOfStart(text: string): BuiltApp {
  return deepFreeze(JSON.parse(text) as BuiltApp);
}
