// The dispatcher of one version of the app, as the server starts and stops it: in the thread that writes. And the
// actor of a thread that runs what reaches the world. Both are made when they are first needed: a start is in a
// hurry, and many apps put nothing off.
import { openGateApp, type GateApp, type GateAppParts } from "../gate/gate-app.ts";
import type { Places } from "../gate/stage-execute.ts";
import { startWork } from "../gate/work.ts";
import type { Writer } from "../gate/writer.ts";
import type { Json } from "../base/json.ts";
import type { CommitFeed } from "../store/commit-feed.ts";
import type { Store } from "../store/store.ts";
import { openDispatcher, type Dispatcher } from "../work/dispatcher.ts";
import type { WorkTold } from "../work/dispatch-parts.ts";
import { openWorkActor, type WorkActor } from "../work/work-actor.ts";
import { workKinds } from "./platform-work.ts";
import { openRealEgress } from "./real-egress.ts";

/** What the work of a version is made of. */
export interface HostWorkParts {
  readonly appParts: GateAppParts;
  readonly store: Store;
  readonly writer: Writer;
  readonly commits: CommitFeed;
  /** Runs what reaches the world. Default: this thread. */
  readonly actor?: WorkActor;
  report(error: unknown): void;
  told?(told: WorkTold): void;
}

/** The work of one version. */
export interface HostWork {
  /** Begins, or begins again after a stop. Failures are reported. */
  start(): void;
  /** Resolves when nothing of it runs in the writer. */
  stop(): Promise<void>;
  /** The dispatcher that runs, or null. */
  dispatcher(): Dispatcher | null;
}

/** Opens the work of a version; `start` begins it. */
export function openHostWork(parts: HostWorkParts): HostWork {
  let app: GateApp | null = null;
  let running: Dispatcher | null = null;
  return {
    start() {
      if (running !== null) return;
      app ??= openGateApp(parts.appParts);
      const { store, writer, commits } = parts;
      const { clock } = parts.appParts;
      const submit = async (job: Parameters<Writer["submit"]>[0]): Promise<Json> =>
        JSON.parse((await writer.submit(job, startWork())).json) as Json;
      running = openDispatcher({
        app,
        kinds: workKinds,
        store,
        commits,
        submit,
        actor: parts.actor ?? openHostActor(parts.appParts, { store, writer }),
        clock,
        report: (error) => parts.report(error),
        ...(parts.told === undefined ? {} : { told: parts.told }),
      });
      running.start().catch((error: unknown) => parts.report(error));
    },
    async stop() {
      const stopping = running;
      running = null;
      await stopping?.stop();
    },
    dispatcher: () => running,
  };
}

/** What runs attempts in this thread. The app is compiled when the first comes. */
export function openHostActor(appParts: GateAppParts, places: Places): WorkActor {
  let actor: WorkActor | null = null;
  const opened = (): WorkActor =>
    (actor ??= openWorkActor({
      app: openGateApp(appParts),
      kinds: workKinds,
      places,
      egress: openRealEgress(),
      clock: appParts.clock,
    }));
  return {
    act: (job) => opened().act(job),
    cancel: (jobId) => actor?.cancel(jobId),
  };
}
