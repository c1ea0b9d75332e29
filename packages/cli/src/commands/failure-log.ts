// What went wrong where the operator is to hear of it, as `keelson start` logs it. A state of the machine that makes
// request after request fail (a full disk) is told when it begins, with a count each minute, and when it is over;
// everything else as it comes.
//
// A state: none -> (a failure) begun -> (failures, counted) -> (none for a while, and a write succeeded) none.
import { PlatformError, type errorCodes } from "@keelson/server/operator";
import type { Log } from "./json-log.ts";

type Code = keyof typeof errorCodes;

/** States of the machine: what to do, and what ends them, a write that succeeds or a minute in which nothing fails. */
const states: ReadonlyMap<Code, { readonly fix: string; readonly ends: "write" | "quiet" }> =
  new Map([
    ["DISK_FULL", { fix: "Free some space: writes are taken again at once.", ends: "write" }],
    [
      "DATA_REMOVED",
      {
        fix: "Put the data folder back, or a backup of it, and start the server again.",
        ends: "write",
      },
    ],
    [
      "STORE_FAILED",
      { fix: "See cause. keelson verify tells whether the database is sound.", ends: "write" },
    ],
    ["OVERLOADED", { fix: "See /metrics for what keeps it busy.", ends: "quiet" }],
  ]);

const proxyFix =
  "If that is your proxy: let it send X-Forwarded-For and X-Forwarded-Proto, and start with --trust-proxy. If not, leave it as it is.";

const lookMs = 10_000;
const looksPerMinute = 6;
const causesMax = 4;

/** A state that lasts. */
interface Trouble {
  readonly code: Code;
  readonly sinceMs: number;
  readonly ends: "write" | "quiet";
  count: number;
  latest: { readonly requestId: string | null; readonly cause: string };
  /** As it was at the last look. */
  seenCount: number;
  /** As it was when a line last told of it. */
  toldCount: number;
  /** Looks since then, and since it failed last. Looks are counted, as clocks of machines are set. */
  looks: number;
  quietLooks: number;
  /** The newest commit when it was last seen to fail. */
  seq: number | null;
}

/** What failures are told with. */
export interface FailureLogParts {
  readonly log: Log;
  readonly nowMs: () => number;
  /** The newest commit: it grows when writes succeed. */
  readonly lastSeq: () => number | Promise<number>;
  /** @returns a function that ends it. */
  readonly every: (ms: number, run: () => void) => () => void;
}

/** The failures of one run of `keelson start`. */
export class FailureLog {
  readonly #parts: FailureLogParts;
  readonly #troubles = new Map<Code, Trouble>();
  #stopLooking: (() => void) | null = null;
  #isProxyTold = false;

  constructor(parts: FailureLogParts) {
    this.#parts = parts;
  }

  /** Takes what was reported. */
  tell(error: unknown, requestId: string | null): void {
    const code = error instanceof PlatformError ? error.code : null;
    if (code === "PROXY_NOT_TRUSTED") this.#tellProxy(error as PlatformError);
    else if (code !== null && states.has(code)) this.#tellTrouble(code, error as Error, requestId);
    else this.#parts.log.write("error", "failure", { requestId, code, error: errorText(error) });
  }

  /** Looks whether anything that lasted is over, or is to be counted. */
  async look(): Promise<void> {
    const seq = await this.#lastSeq();
    for (const trouble of this.#troubles.values()) this.#lookAt(trouble, seq);
    if (this.#troubles.size > 0) return;
    this.#stopLooking?.();
    this.#stopLooking = null;
  }

  /** Looks no more. */
  close(): void {
    this.#stopLooking?.();
    this.#stopLooking = null;
  }

  /** Null: the store can't say, which is no recovery. */
  async #lastSeq(): Promise<number | null> {
    try {
      return await this.#parts.lastSeq();
    } catch {
      return null;
    }
  }

  #lookAt(trouble: Trouble, seq: number | null): void {
    const { log } = this.#parts;
    const { code, count, sinceMs, latest, ends } = trouble;
    const since = new Date(sinceMs).toISOString();
    trouble.looks += 1;
    trouble.quietLooks = count === trouble.seenCount ? trouble.quietLooks + 1 : 0;
    trouble.seenCount = count;
    if (trouble.quietLooks === 0 || trouble.seq === null) trouble.seq = seq;
    const isOver =
      ends === "write" ? (seq ?? 0) > (trouble.seq ?? 0) : trouble.quietLooks >= looksPerMinute;
    if (isOver) {
      this.#troubles.delete(code);
      log.write("info", "recovered", { code, count, since });
    } else if (trouble.looks >= looksPerMinute && count > trouble.toldCount) {
      log.write("error", "failure", { ...latest, code, count, since });
      trouble.looks = 0;
      trouble.toldCount = count;
    }
  }

  #tellTrouble(code: Code, error: Error, requestId: string | null): void {
    const { log, nowMs, every } = this.#parts;
    const latest = { requestId, cause: causeText(error) };
    const known = this.#troubles.get(code);
    if (known !== undefined) {
      known.count += 1;
      known.latest = latest;
      return;
    }
    const { fix, ends } = states.get(code) as { fix: string; ends: "write" | "quiet" };
    this.#troubles.set(code, {
      code,
      sinceMs: nowMs(),
      ends,
      count: 1,
      latest,
      seenCount: 0,
      toldCount: 1,
      looks: 0,
      quietLooks: 0,
      seq: null,
    });
    log.write("error", "failure", { ...latest, code, problem: error.message, fix });
    this.#stopLooking ??= every(lookMs, () => void this.look());
  }

  /** Each thread finds out by itself. */
  #tellProxy({ code, message, details }: PlatformError): void {
    if (this.#isProxyTold) return;
    this.#isProxyTold = true;
    this.#parts.log.write("warn", "proxy", { code, problem: message, ...details, fix: proxyFix });
  }
}

/** Whether a failure of this code is told by a FailureLog alone. */
export function isTrouble(code: string): boolean {
  return states.has(code as Code);
}

/** With its cause: this stays on the server. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { details } = error as { readonly details?: unknown };
  const facts = details === undefined ? "" : ` ${JSON.stringify(details)}`;
  const cause =
    error.cause instanceof Error ? ` < ${error.cause.stack ?? error.cause.message}` : "";
  return `${error.name}: ${error.message}${facts}${cause}`;
}

/** What the engine or the system said: messages, without the places in our code. */
function causeText(error: Error): string {
  const texts: string[] = [];
  for (let at: unknown = error; at instanceof Error && texts.length < causesMax; at = at.cause) {
    const { details } = at as { readonly details?: object };
    const facts =
      details === undefined || Object.keys(details).length === 0 ? "" : JSON.stringify(details);
    const text = at === error ? facts : `${at.message}${facts === "" ? "" : ` ${facts}`}`;
    if (text !== "" && text !== error.message && !texts.includes(text)) texts.push(text);
  }
  return texts.join(" < ");
}
