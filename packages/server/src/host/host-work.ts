// The dispatcher of one version of the app, as the server starts and stops it: in the thread that writes. And the
// actor of a thread that runs what reaches the world. Both are made when they are first needed: a start is in a
// hurry, and many apps put nothing off.
import { openGateApp, type GateApp, type GateAppParts } from "../gate/gate-app.ts";
import type { FollowGroup } from "../gate/inline-writer.ts";
import type { Places } from "../gate/stage-execute.ts";
import { startWork } from "../gate/work.ts";
import type { Writer } from "../gate/writer.ts";
import type { Json } from "../base/json.ts";
import type { CommitFeed } from "../store/commit-feed.ts";
import type { Store } from "../store/store.ts";
import { openDispatcher, type Dispatcher } from "../work/dispatcher.ts";
import type { DispatcherParts, WorkTold } from "../work/dispatch-parts.ts";
import { readPosition } from "../work/position.ts";
import { openWorkActor, type WorkActor } from "../work/work-actor.ts";
import { workJob, type SubmitWork } from "../work/work-submit.ts";
import { workKinds } from "./platform-work.ts";
import { openRealEgress } from "./real-egress.ts";

/** Between two tries to begin. */
const againMs = 1_000;

/** What the work of a version is made of. */
export interface HostWorkParts {
  readonly appParts: GateAppParts;
  readonly store: Store;
  readonly writer: Writer;
  readonly commits: CommitFeed;
  /** Of the same writer: see DispatcherParts. */
  readonly follow: (next: FollowGroup | null) => void;
  /** Runs what reaches the world. Default: this thread. */
  readonly actor?: WorkActor;
  report(error: unknown): void;
  told?(told: WorkTold): void;
}

/** The work of one version. */
export interface HostWork {
  /**
   * Before anything is served: consumers that are new begin here, so that they miss nothing. Failures are reported;
   * then they begin with `start`.
   */
  prepare(): Promise<void>;
  /** Begins, or begins again after a stop. Failures are reported. */
  start(): void;
  /** Resolves when nothing of it runs in the writer. */
  stop(): Promise<void>;
  /** The dispatcher that runs, or null. */
  dispatcher(): Dispatcher | null;
  /** What a dispatcher works with: for a server whose work is run by somebody else. */
  parts(): DispatcherParts;
}

/** Opens the work of a version; `start` begins it. */
export function openHostWork(parts: HostWorkParts): HostWork {
  let app: GateApp | null = null;
  let running: Dispatcher | null = null;
  const { store, writer, commits } = parts;
  const submit: SubmitWork = async (job, work = startWork()) =>
    JSON.parse((await writer.submit(job, work)).json) as Json;
  /** A disk that is full at the start has room later. */
  const begin = (dispatcher: Dispatcher): void => {
    dispatcher.start().catch((error: unknown) => {
      parts.report(error);
      parts.appParts.clock.after(againMs, () => {
        if (running === dispatcher) begin(dispatcher);
      });
    });
  };
  const dispatcherParts = (): DispatcherParts => {
    app ??= openGateApp(parts.appParts);
    return {
      app,
      kinds: workKinds,
      store,
      commits,
      submit,
      follow: parts.follow,
      actor: parts.actor ?? openHostActor(parts.appParts, { store, writer }),
      clock: parts.appParts.clock,
      report: (error) => parts.report(error),
      ...(parts.told === undefined ? {} : { told: parts.told }),
    };
  };
  return {
    async prepare() {
      const { manifest } = parts.appParts;
      const names = Object.keys(manifest.work?.consumers ?? {});
      try {
        let isNew = false;
        for (const name of names) {
          isNew ||= (await store.read((tx) => readPosition(tx, name))) === null;
        }
        if (!isNew) return;
        app ??= openGateApp(parts.appParts);
        await submit(workJob(app, { procedure: "work.sync", input: null, cause: "work" }));
      } catch (error) {
        parts.report(error);
      }
    },
    start() {
      if (running !== null) return;
      running = openDispatcher(dispatcherParts());
      begin(running);
    },
    async stop() {
      const stopping = running;
      running = null;
      await stopping?.stop();
    },
    dispatcher: () => running,
    parts: dispatcherParts,
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
