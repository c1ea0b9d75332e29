// One thread of the server as the supervisor sees it: started -> ready -> (closed, and ended by itself | ended by us |
// gone). One that is ended where it stands may take the process with it (isolate/cpu-watchdog.ts): that is for threads
// that do not answer.
import { getCompileCacheDir } from "node:module";
import { Worker, type Transferable } from "node:worker_threads";
import type { Clock } from "../base/clock.ts";
import { errorCodes, type ErrorCode } from "../base/error-codes.ts";
import { PlatformError, type ErrorDetails } from "../base/platform-error.ts";
import { ThreadCalls, type ThreadAnswer } from "./thread-calls.ts";

type ThreadRole = "writer" | "door";

/** How a thread is started. */
export interface ServerThreadParts {
  readonly role: ThreadRole;
  /** One that has begun to load. */
  readonly worker: Worker;
  readonly data: unknown;
  readonly transfer: readonly Transferable[];
  readonly clock: Clock;
  readonly answers: Readonly<Record<string, ThreadAnswer>>;
  /** Called once when it has ended, however it did. `error`: what ended it, or null. */
  gone(error: Error | null): void;
}

const thisFile = import.meta.url;
/** The room for young objects of a door's thread: what a request leaves dies young, and Node would take 96. */
const doorYoungMb = 8;
/** How long one that has closed may take to end. */
const leaveMsMax = 2_000;

/** A thread. */
export class ServerThread {
  readonly role: "writer" | "door";
  readonly calls: ThreadCalls;
  /** What it said when it was ready. Rejects when it ended before that. */
  readonly ready: Promise<unknown>;
  /** Resolves when it has ended, with its exit status; 0: by itself. */
  readonly ended: Promise<number>;
  readonly #worker: Worker;
  readonly #clock: Clock;
  #isReady = false;
  #isLeaving = false;

  constructor(parts: ServerThreadParts) {
    const { role, worker, data, transfer, clock, answers } = parts;
    this.role = role;
    this.#worker = worker;
    this.#clock = clock;
    const ready = Promise.withResolvers<unknown>();
    this.ready = ready.promise;
    // Whoever started it waits for it; a replacement that fails is reported when it is gone.
    this.ready.catch(() => undefined);
    this.calls = new ThreadCalls({
      port: worker,
      clock,
      answers: {
        ...answers,
        ready: (value: unknown) => {
          this.#isReady = true;
          ready.resolve(value);
        },
      },
    });
    let failure: Error | null = null;
    worker.on("error", (error: unknown) => {
      failure = errorOfThread(error);
    });
    const ended = Promise.withResolvers<number>();
    this.ended = ended.promise;
    worker.on("exit", (status) => {
      this.#isReady = false;
      this.calls.close();
      ready.reject(failure ?? new Error(`the ${role}'s thread ended with ${status}`));
      ended.resolve(status);
      parts.gone(failure);
    });
    worker.postMessage(data, [...transfer]);
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** Asks it to close, when it is ready: it ends by itself then. @returns its answer; null: it is gone. */
  async close(): Promise<unknown> {
    this.#isLeaving = true;
    try {
      await this.ready;
      return await this.calls.ask("close");
    } catch {
      return null;
    }
  }

  /** Waits until one that has closed has ended; any other, and one that takes too long, is ended where it stands. */
  async end(): Promise<void> {
    if (this.#isLeaving) {
      const late = Promise.withResolvers<void>();
      const cancel = this.#clock.after(leaveMsMax, late.resolve);
      await Promise.race([this.ended, late.promise]);
      cancel();
    }
    await this.#worker.terminate();
    await this.ended;
  }
}

/** Threads that load their code while it is worked out what they are to do. */
export class SpareThreads {
  readonly #workers: { readonly role: ThreadRole; readonly worker: Worker; isAlive: boolean }[] =
    [];

  /** @param roles one thread is begun for each. */
  constructor(roles: readonly ThreadRole[]) {
    for (const role of roles) {
      const spare = { role, worker: beginThread(role), isAlive: true };
      // One that can't load is begun again when it is needed, and what fails is told then.
      spare.worker.once("error", () => undefined);
      spare.worker.once("exit", () => {
        spare.isAlive = false;
      });
      this.#workers.push(spare);
    }
  }

  /** One of this role, which may have loaded already. */
  take(role: ThreadRole): Worker {
    const at = this.#workers.findIndex((spare) => spare.role === role && spare.isAlive);
    const [spare] = at === -1 ? [] : this.#workers.splice(at, 1);
    return spare?.worker ?? beginThread(role);
  }

  /** Ends those that nobody took. */
  async end(): Promise<void> {
    await Promise.all(this.#workers.splice(0).map(({ worker }) => worker.terminate()));
  }
}

function beginThread(role: ThreadRole): Worker {
  const file = `./thread-entry${thisFile.endsWith(".ts") ? ".ts" : ".js"}`;
  const resourceLimits = role === "door" ? { maxYoungGenerationSizeMb: doorYoungMb } : {};
  const options = { name: `keelson ${role}`, env: threadEnv(), workerData: role, resourceLimits };
  return new Worker(new URL(file, thisFile), options);
}

/** A thread uses the process's cache of compiled modules, where it has one: that is most of a start. */
function threadEnv(): NodeJS.ProcessEnv {
  const folder = getCompileCacheDir();
  return folder === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: folder };
}

/** Node takes an error's class away when it leaves its thread, not its code. */
function errorOfThread(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  const { code, details } = error as { readonly code?: unknown; readonly details?: unknown };
  if (typeof code !== "string" || !(code in errorCodes)) return error;
  const kept = typeof details === "object" && details !== null ? (details as ErrorDetails) : {};
  return new PlatformError(code as ErrorCode, kept, { cause: error });
}
