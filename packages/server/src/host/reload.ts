// A new version of the app in the place of the one that is served, without a request lost in between. One
// after the other: a reload that is asked for while one runs begins when it has ended, and sees the newest
// files. A version that has a mistake, or whose data can't be migrated safely or was removed, leaves the old one served.
import type { Clock } from "../base/clock.ts";
import type { Limits } from "../base/limits.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { HttpDoor } from "../doors/http-door.ts";
import { AppInvalid, type AppMistake } from "../model/app-mistake.ts";
import type { BuiltApp } from "./app-cache.ts";
import { closeBackend, replaceBackend, type Backend, type BackendParts } from "./backend.ts";

/** What became of a reload. */
export type ReloadOutcome =
  /** The files make the same app as before. */
  | { readonly kind: "same"; readonly tookMs: number }
  | { readonly kind: "replaced"; readonly tookMs: number }
  /** The version before goes on. `mistakes` is empty when something else than the app's source is wrong. */
  | {
      readonly kind: "refused";
      readonly error: PlatformError;
      readonly mistakes: readonly AppMistake[];
      readonly tookMs: number;
    };

/** What reloading works on. */
export interface ReloaderParts {
  readonly backendParts: BackendParts;
  readonly door: HttpDoor;
  readonly clock: Clock;
  readonly limits: Limits;
  build(): Promise<BuiltApp>;
  current(): Backend;
  /** Told of the version that is served from now on. */
  replaced(backend: Backend): void;
  /** Told of failures of a version that is being put away. */
  report(error: unknown): void;
}

/** Reloads, one at a time. */
export interface Reloader {
  /** @throws what is neither a mistake of the app nor a refusal: a bug. */
  reload(): Promise<ReloadOutcome>;
  /** Waits for the reload that runs, then ends versions before the current one with what they still do. */
  close(): Promise<void>;
}

/** Opens the reloader of a server. */
export function openReloader(parts: ReloaderParts): Reloader {
  let last: Promise<unknown> = Promise.resolve();
  const retiring = new Set<Backend>();
  return {
    reload() {
      const next = last.then(() => reloadOnce(parts, retiring));
      last = next.catch(() => undefined);
      return next;
    },
    async close() {
      await last;
      await Promise.all([...retiring].map((backend) => retire(retiring, backend)));
    },
  };
}

async function retire(retiring: Set<Backend>, backend: Backend): Promise<void> {
  if (retiring.delete(backend)) await closeBackend(backend);
}

/** Runs a reload and tells what became of it. @throws what is no PlatformError: a bug. */
export async function reloadOutcome(
  clock: Clock,
  run: () => Promise<"same" | "replaced">,
): Promise<ReloadOutcome> {
  const startedUs = clock.monotonicUs();
  const tookMs = () => (clock.monotonicUs() - startedUs) / 1_000;
  try {
    const kind = await run();
    return { kind, tookMs: tookMs() };
  } catch (error) {
    if (!(error instanceof PlatformError)) throw error;
    const mistakes = error instanceof AppInvalid ? error.mistakes : [];
    return { kind: "refused", error, mistakes, tookMs: tookMs() };
  }
}

function reloadOnce(parts: ReloaderParts, retiring: Set<Backend>): Promise<ReloadOutcome> {
  return reloadOutcome(parts.clock, async () => {
    const app = await parts.build();
    const before = parts.current();
    if (app.manifest.hash === before.manifest.hash) return "same";
    const { answered } = await swap(parts, before, app);
    retiring.add(before);
    answered.then(() => retire(retiring, before)).catch((error: unknown) => parts.report(error));
    return "replaced";
  });
}

/** @returns a promise, in a box, of the last answer of the version before. */
async function swap(
  parts: ReloaderParts,
  before: Backend,
  app: BuiltApp,
): Promise<{ readonly answered: Promise<void> }> {
  const { door, backendParts } = parts;
  // The slow part, while the version before goes on.
  const isolates = await backendParts.openIsolates(app);
  const release = door.hold();
  try {
    await idleOrLate(parts);
    const after = await replaceBackend(backendParts, before, app, isolates);
    const answered = door.serve(after);
    parts.replaced(after);
    // What an action of the version before writes from here on is refused: its data has another form now.
    await before.writer.drain();
    return { answered };
  } finally {
    release();
  }
}

/** Requests that take longer (actions, slow uploads) end on the version before; what they still write is refused. */
async function idleOrLate({ door, clock, limits }: ReloaderParts): Promise<void> {
  const late = Promise.withResolvers<void>();
  const cancel = clock.after(limits.reloadMsMax, late.resolve);
  await Promise.race([door.idle(), late.promise]);
  cancel();
}
