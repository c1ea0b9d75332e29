// What live queries show, written down: whenever anything of a client moves, all that it shows is one look.
import type { Json } from "@keelson/sdk/spec";
import { listPart, lookAtRight, lookPart, type AskPart } from "./draw-ask.ts";
import type { Operation, Step } from "./history.ts";
import type { LiveWire } from "./live-wire.ts";
import type { SdkTransport } from "./transport-sdk.ts";

/** Live queries of one client. */
export interface HistoryWatch {
  /** Watches these keys, and no others. */
  watch(keys: readonly number[]): void;
  /** What is shown now; null: not all of it is there. */
  shown(): readonly Step[] | null;
  stop(): void;
}

/** What looks are written down with. */
export interface WatchParts {
  readonly name: string;
  readonly user: string;
  readonly nowUs: () => number;
  readonly record: (operation: Operation) => void;
}

/** What is watched of keys: the same things in two ways, and the caller's right with what it gives. */
function partsOf(user: string, keys: readonly number[]): AskPart[] {
  const tables = ["list", "slot", "entry", "register"] as const;
  const lists = keys.flatMap((key) => tables.map((table) => listPart(table, key)));
  return [...lists, lookPart(keys), ...lookAtRight({ user })];
}

/** Over the bare protocol, which tells commits. @param open opens the connection. */
export function watchWire(
  { name, user, nowUs, record }: WatchParts,
  open: (pushed: (commit: number) => void) => LiveWire,
): HistoryWatch & { readonly wire: LiveWire } {
  let parts: AskPart[] = [];
  const shown = (): Step[] => stepsOf(parts, ({ step }) => wire.shown(step as never));
  const wire = open((commit) => {
    const steps = shown();
    if (steps.length === 0) return;
    const common = { client: `${name} live`, what: "push", kind: "shown", startUs: null } as const;
    const connection = `${name} ${wire.number}`;
    record({ ...common, endUs: nowUs(), outcome: "done", commit, steps, connection });
  });
  return {
    wire,
    watch(keys) {
      parts = partsOf(user, keys);
      wire.watch(parts.map(({ step }) => step as never));
    },
    shown: () =>
      parts.every(({ step }) => wire.shown(step as never) !== undefined) ? shown() : null,
    stop: () => wire.close(),
  };
}

/** Through the SDK. */
export function watchSdk(
  { name, user, nowUs, record }: WatchParts,
  sdk: SdkTransport,
): HistoryWatch {
  type Followed = { readonly part: AskPart; shown(): Json | undefined; stop(): void };
  let followed: Followed[] = [];
  let last = "";
  const shown = (): Step[] =>
    stepsOf(
      followed.map(({ part }) => part),
      (_, at) => followed[at]?.shown(),
    );
  const changed = (): void => {
    const steps = shown();
    const text = JSON.stringify(steps);
    if (steps.length === 0 || text === last) return;
    last = text;
    const common = { client: `${name} live`, what: "shown", kind: "shown", startUs: null } as const;
    record({ ...common, endUs: nowUs(), outcome: "done", commit: null, steps });
  };
  const stop = (): void => {
    for (const each of followed) each.stop();
    followed = [];
  };
  return {
    watch(keys) {
      const before = followed;
      followed = [];
      followed = partsOf(user, keys).map((part) => ({ part, ...sdk.follow(part.step, changed) }));
      for (const each of before) each.stop();
    },
    shown: () => (followed.every((each) => each.shown() !== undefined) ? shown() : null),
    stop,
  };
}

/** All that is there, as one look. */
function stepsOf(
  parts: readonly AskPart[],
  shown: (part: AskPart, at: number) => Json | undefined,
): Step[] {
  return parts.flatMap((part, at) => {
    const value = shown(part, at);
    return value === undefined ? [] : part.saw(value);
  });
}
