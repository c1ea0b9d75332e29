// The supervisor of a server of many threads: one writer and some doors, each replaced when it ends by itself.
// It serves nothing itself; its own way to the app (a reader, and the channel to the writer) is for the command
// line on the same machine.
//
// States: starting -> serving <-> reloading -> closing -> closed. A thread that is gone while serving is started
// again, later the more often that happens; while there is no writer, writes wait in the doors, bounded.
import { MessageChannel, type MessagePort } from "node:worker_threads";
import { PlatformError } from "../base/platform-error.ts";
import { httpMetricsMemory, type Gauge } from "../doors/http-metrics.ts";
import { fromPortableError } from "../gate/portable-error.ts";
import { makeLiveCounts, type SharedLiveCounts } from "../doors/live-counts.ts";
import type { Revocation } from "../gate/identity.ts";
import { makeSharedQuotas, type SharedQuotas } from "../gate/shared-quota.ts";
import type { Trace } from "../gate/trace-log.ts";
import { commitMarkMemory } from "../store/commit-mark.ts";
import { failureOf } from "../work/job-failure.ts";
import type { ActReport } from "../work/work-actor.ts";
import type { Job } from "../work/job.ts";
import type { BuiltApp } from "./app-cache.ts";
import type { AppSource } from "./app-source.ts";
import { openDoorBackend, type DoorBackend, type DoorBackendParts } from "./door-backend.ts";
import { findFreePort } from "./free-port.ts";
import type { HostGauges } from "./host-gauges.ts";
import { lazyIsolates } from "./lazy-isolates.ts";
import type { DoorOptions } from "./serve-door.ts";
import { ServerThread, type SpareThreads } from "./server-thread.ts";
import { mergeGauges } from "./thread-gauges.ts";
import type {
  DoorStart,
  ServeOrder,
  ThreadGauges,
  ThreadReport,
  WriterStart,
} from "./thread-start.ts";
import { traceOf, type PortableTrace } from "./trace-sender.ts";

/** What a server of threads is made of. */
export interface ThreadServerParts extends Omit<DoorBackendParts, "mark" | "quotas" | "report"> {
  readonly app: BuiltApp;
  readonly source: Pick<AppSource, "guest" | "openIsolates">;
  readonly migrate: "auto-safe" | "refuse";
  readonly options: DoorOptions;
  /** Absolute; holds keelson/app.ts. */
  readonly appDir: string;
  readonly host: string;
  readonly port: number;
  /** Threads that serve, at least 1. */
  readonly doors: number;
  /** Threads that have begun to load. */
  readonly spares: SpareThreads;
  readonly gauges: HostGauges;
  /** Called with every finished request; null: nobody wants them. */
  readonly onTrace: ((trace: Trace) => void) | null;
  report(error: unknown, requestId: string | null): void;
}

const answerMsMax = 1_000;
const restartMsMin = 20;
const restartMsMax = 5_000;
/** A thread that lived this long has not failed again and again. */
const steadyMs = 60_000;
const portTries = 8;
/** Doors that are started again are waited for. */
const actTriesMax = 100;
const actWaitMs = 100;

interface Place {
  readonly role: "writer" | "door";
  /** Its part of memory that threads share; -1 for the writer. */
  readonly part: number;
  thread: ServerThread | null;
  startedMs: number;
  failures: number;
}

/** A server of many threads. */
export class ThreadServer {
  readonly #parts: ThreadServerParts;
  readonly #mark = commitMarkMemory();
  readonly #metrics: SharedArrayBuffer;
  readonly #quotas: SharedQuotas;
  readonly #liveCounts: SharedLiveCounts;
  readonly #writer: Place;
  readonly #doors: readonly Place[];
  #guest: { readonly snapshot: ArrayBuffer; works(): void } | null = null;
  #app: BuiltApp;
  #appText: string;
  #own: DoorBackend | null = null;
  #state: "starting" | "serving" | "reloading" | "closing" = "starting";
  #address = { url: "", port: 0 };
  #acts = 0;
  /** Attempts that no door has got yet. */
  readonly #waitingActs = new Set<{ readonly id: string; isCancelled: boolean }>();

  constructor(parts: ThreadServerParts) {
    this.#parts = parts;
    this.#app = parts.app;
    this.#appText = JSON.stringify(parts.app);
    this.#metrics = httpMetricsMemory(parts.doors);
    this.#quotas = makeSharedQuotas(parts.limits.rateLimitKeysMax, parts.random);
    this.#liveCounts = makeLiveCounts(parts.doors, parts.random);
    const place = (role: "writer" | "door", part: number): Place => ({
      role,
      part,
      thread: null,
      startedMs: 0,
      failures: 0,
    });
    this.#writer = place("writer", -1);
    this.#doors = Array.from({ length: parts.doors }, (_, index) => place("door", index));
  }

  get url(): string {
    return this.#address.url;
  }

  get port(): number {
    return this.#address.port;
  }

  /** The app as the supervisor reaches it. */
  current(): DoorBackend {
    return this.#own as DoorBackend;
  }

  /** Threads that there are now, for tests that end them. */
  threads(): readonly ServerThread[] {
    return this.#places().flatMap(({ thread }) => (thread === null ? [] : [thread]));
  }

  /** Whether every thread serves. */
  isReady(): boolean {
    if (this.#state !== "serving") return false;
    return this.#places().every(({ thread }) => thread?.isReady === true);
  }

  /** Starts the writer, then the doors. @throws MIGRATION_REFUSED, MIGRATION_FAILED, STORE_FAILED, LISTEN_FAILED. */
  async start(): Promise<void> {
    try {
      this.#guest = await this.#parts.source.guest();
      await this.#startWriter();
      this.#guest.works();
      this.#own = this.#openOwn(this.#app);
      await this.#startDoors();
      this.#state = "serving";
      this.#startWork();
    } catch (error) {
      this.#state = "closing";
      this.#own?.close();
      await Promise.all(this.#doorThreads().map((thread) => thread.close()));
      await Promise.all(this.#doorThreads().map((thread) => thread.end()));
      await this.#stopWriter();
      throw error;
    }
  }

  /**
   * Serves another version of the app: requests wait, the writer finishes and is replaced by one of that version,
   * which brings the data to it, then every door changes.
   * @throws MIGRATION_REFUSED, MIGRATION_FAILED, STORE_FAILED; then the version before goes on.
   */
  async reload(app: BuiltApp): Promise<void> {
    if (this.#state !== "serving") throw new PlatformError("SHUTTING_DOWN");
    this.#state = "reloading";
    try {
      await Promise.all(this.#doorThreads().map(({ calls }) => calls.ask("hold").catch(ignore)));
      await this.#stopWriter();
      const before = { app: this.#app, text: this.#appText };
      this.#app = app;
      this.#appText = JSON.stringify(app);
      let failure: unknown = null;
      try {
        await this.#startWriter();
      } catch (error) {
        failure = error;
        this.#app = before.app;
        this.#appText = before.text;
        await this.#startWriter();
      }
      if (failure !== null) {
        this.#linkAll();
        throw failure;
      }
      await this.#serveAll(app);
    } finally {
      for (const { thread } of this.#doors) thread?.calls.tell("release");
      this.#state = "serving";
      this.#startWork();
      // What ended while nobody looked.
      for (const place of this.#places()) if (place.thread === null) this.#restartLater(place);
    }
  }

  /** Numbers of all threads and the process. */
  async gauges(): Promise<readonly Gauge[]> {
    const { gauges } = this.#parts;
    const asked = this.threads().map(async ({ calls }) => {
      try {
        return (await calls.ask("gauges", null, { deadlineMs: answerMsMax })) as ThreadGauges;
      } catch (error) {
        // A thread that is busy or gone is left out: a scrape is not a reason to fail.
        if (!isAway(error)) this.#parts.report(error, null);
        return { sum: [], max: [] };
      }
    });
    const threads = await Promise.all(asked);
    return [...gauges.readProcess(), ...mergeGauges([...threads, gauges.readThread()])];
  }

  /** The trace of a request that any door answered, or null. */
  async findTrace(requestId: string): Promise<Trace | null> {
    const asked = this.#doorThreads().map(({ calls }) =>
      calls.ask("trace", requestId, { deadlineMs: answerMsMax }).catch(ignore),
    );
    for (const found of await Promise.all(asked)) {
      if (found !== null) return traceOf(found as PortableTrace);
    }
    return null;
  }

  /** Credentials are not to be taken any more. @returns when every door has acted on it. */
  async revoke(what: Revocation): Promise<void> {
    await Promise.all(
      this.#doorThreads().map(async (thread) => {
        try {
          await thread.calls.ask("revoke", what, { deadlineMs: answerMsMax });
        } catch {
          // One that does not answer in time sends nothing more when it is ended, and another takes its place.
          await thread.end();
        }
      }),
    );
  }

  /** Answers what was accepted, then ends every thread. @returns whether all was answered in time. */
  async close(): Promise<boolean> {
    this.#state = "closing";
    const doors = this.#doorThreads();
    const closed = await Promise.all(doors.map((thread) => thread.close()));
    await this.#own?.writer.drain();
    this.#own?.close();
    await Promise.all(doors.map((thread) => thread.end()));
    await this.#stopWriter();
    return closed.every((inTime) => inTime === true);
  }

  #doorThreads(): readonly ServerThread[] {
    return this.#doors.flatMap(({ thread }) => (thread === null ? [] : [thread]));
  }

  #places(): readonly Place[] {
    return [this.#writer, ...this.#doors];
  }

  async #startWriter(): Promise<void> {
    const { limits, dataDir, migrate } = this.#parts;
    const isFirst = this.#state === "starting";
    const data: WriterStart = { ...this.#threadStart(), dataDir, limits, migrate, isFirst };
    await this.#launch(this.#writer, data, []);
  }

  async #stopWriter(): Promise<void> {
    const { thread } = this.#writer;
    this.#writer.thread = null;
    if (thread === null) return;
    await thread.close();
    await thread.end();
  }

  async #startDoors(): Promise<void> {
    const { host, port } = this.#parts;
    const [first, ...others] = this.#doors as readonly [Place, ...Place[]];
    for (let tries = 1; ; tries++) {
      const free = await findFreePort(host, port);
      try {
        this.#address = (await this.#startDoor(first, free)) as { url: string; port: number };
        break;
      } catch (error) {
        // Somebody took a port of the system's choosing in between: another one will do.
        const isTaken = error instanceof PlatformError && error.code === "LISTEN_FAILED";
        if (!isTaken || port !== 0 || tries >= portTries) throw error;
      }
    }
    await Promise.all(others.map((place) => this.#startDoor(place, this.#address.port)));
  }

  #startDoor(place: Place, port: number): Promise<unknown> {
    const { host, options, onTrace, limits, dataDir } = this.#parts;
    const writer = this.#openChannel();
    const data: DoorStart = {
      ...this.#threadStart(),
      dataDir,
      limits,
      appDir: this.#parts.appDir,
      options,
      host,
      port,
      wantsTraces: onTrace !== null,
      quotas: this.#quotas,
      metrics: { memory: this.#metrics, part: place.part },
      liveCounts: this.#liveCounts,
      writer,
    };
    return this.#launch(place, data, [writer]);
  }

  #threadStart(): Pick<WriterStart, "app" | "snapshot" | "mark"> {
    const snapshot = this.#guest?.snapshot ?? new ArrayBuffer(0);
    return { app: this.#appText, snapshot, mark: this.#mark };
  }

  async #launch(place: Place, data: unknown, transfer: readonly MessagePort[]): Promise<unknown> {
    const { clock, spares } = this.#parts;
    place.startedMs = clock.nowMs();
    const thread = new ServerThread({
      role: place.role,
      worker: spares.take(place.role),
      data,
      transfer,
      clock,
      answers: {
        report: ({ error, requestId }: ThreadReport) =>
          this.#parts.report(fromPortableError(error), requestId),
        traces: (text: string) => this.#traced(text),
        isReady: () => this.isReady(),
        gauges: () => this.gauges(),
        revoke: (what: Revocation) => this.revoke(what),
        act: (job: Job) => this.#act(job),
        cancelWork: (jobId: string) => this.#cancelWork(jobId),
      },
      gone: (error) => this.#gone(place, thread, error),
    });
    place.thread = thread;
    return thread.ready;
  }

  #startWork(): void {
    this.#writer.thread?.calls.tell("startWork");
  }

  /** Work that reaches the world runs in the doors, one after the other in turn. */
  async #act(job: Job): Promise<ActReport> {
    const { clock } = this.#parts;
    const waiting = { id: job.id, isCancelled: false };
    this.#waitingActs.add(waiting);
    try {
      for (let tries = 0; tries < actTriesMax && !waiting.isCancelled; tries++) {
        const ready = this.#doorThreads().filter(({ isReady }) => isReady);
        const door = ready[this.#acts++ % Math.max(1, ready.length)];
        if (door !== undefined) return (await door.calls.ask("act", job)) as ActReport;
        const { promise, resolve } = Promise.withResolvers<void>();
        clock.after(actWaitMs, resolve);
        await promise;
      }
    } finally {
      this.#waitingActs.delete(waiting);
    }
    if (!waiting.isCancelled) throw new PlatformError("OVERLOADED", { limit: "actTriesMax" });
    const cancelled = new PlatformError("FUNCTION_INTERRUPTED", { job: job.id });
    return { failure: failureOf(cancelled, clock.nowMs()), log: [] };
  }

  /** An attempt is with a door, or still waits for one. */
  #cancelWork(jobId: string): void {
    for (const waiting of this.#waitingActs) {
      if (waiting.id === jobId) waiting.isCancelled = true;
    }
    for (const { calls } of this.#doorThreads()) calls.tell("cancelWork", jobId);
  }

  #traced(text: string): void {
    const { onTrace } = this.#parts;
    if (onTrace === null) return;
    for (const trace of JSON.parse(text) as readonly PortableTrace[]) onTrace(traceOf(trace));
  }

  #gone(place: Place, thread: ServerThread, error: Error | null): void {
    // One that we ended ourselves has left its place before.
    if (place.thread !== thread) return;
    place.thread = null;
    if (this.#state !== "serving") return;
    this.#parts.report(error ?? new Error(`a ${place.role}'s thread ended`), null);
    this.#restartLater(place);
  }

  #restartLater(place: Place): void {
    const { clock } = this.#parts;
    const isSteady = clock.nowMs() - place.startedMs > steadyMs;
    place.failures = isSteady ? 0 : place.failures + 1;
    const delayMs = Math.min(restartMsMax, restartMsMin * 2 ** Math.min(10, place.failures));
    clock.after(delayMs, () => {
      if (this.#state === "serving" && place.thread === null) void this.#restart(place);
    });
  }

  async #restart(place: Place): Promise<void> {
    try {
      if (place.role === "door") await this.#startDoor(place, this.#address.port);
      else {
        await this.#startWriter();
        this.#linkAll();
        this.#startWork();
      }
    } catch (error) {
      // The thread has ended, which was seen to where that is; what fails here is starting it.
      this.#parts.report(error, null);
      if (place.thread === null && this.#state === "serving") this.#restartLater(place);
    }
  }

  /** A new channel to the writer. @returns the door's end. */
  #openChannel(): MessagePort {
    const { port1, port2 } = new MessageChannel();
    const { thread } = this.#writer;
    // Without a writer the door's end closes with it, and the door waits to be linked.
    if (thread === null) port2.close();
    else void thread.calls.ask("door", port2, { transfer: [port2] }).catch(ignore);
    return port1;
  }

  #linkAll(): void {
    for (const { thread } of this.#doors) {
      if (thread === null) continue;
      const channel = this.#openChannel();
      void thread.calls.ask("writer", channel, { transfer: [channel] }).catch(ignore);
    }
    this.#own?.connect(this.#openChannel());
  }

  async #serveAll(app: BuiltApp): Promise<void> {
    const before = this.#own;
    this.#own = this.#openOwn(app);
    before?.retire();
    before?.close();
    await Promise.all(
      this.#doors.map(async ({ thread }) => {
        if (thread === null) return;
        const writer = this.#openChannel();
        const order: ServeOrder = { app: this.#appText, writer };
        try {
          await thread.calls.ask("serve", order, { transfer: [writer] });
        } catch (error) {
          // It can't serve this version: another thread will.
          this.#parts.report(error, null);
          await thread.end();
        }
      }),
    );
  }

  #openOwn(app: BuiltApp): DoorBackend {
    const { source, report } = this.#parts;
    return openDoorBackend(
      {
        ...this.#parts,
        mark: this.#mark,
        report: (error) => report(error, null),
      },
      {
        app,
        isolates: lazyIsolates(() => source.openIsolates(app)),
        port: this.#openChannel(),
      },
    );
  }
}

/** Whether a thread was too busy to answer, or had ended. */
function isAway(error: unknown): boolean {
  return (
    error instanceof PlatformError &&
    (error.code === "OVERLOADED" || error.code === "SHUTTING_DOWN")
  );
}

function ignore(): null {
  return null;
}
