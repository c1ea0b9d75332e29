// The stage "limit": declared limits of functions and tables, and default limits for everything else.
// Counts in memory of this thread, or in memory that all threads share; time is the clock's monotonic one, so that a clock that is set does not
// let anybody through. All limits of a request are asked before any is counted: a refused request costs
// nobody anything but the refusing limit's own pace.
import { assert } from "../base/assert.ts";
import type { Limits } from "../base/limits.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { RandomSource } from "../base/random.ts";
import type { LimitSpec, Manifest } from "../model/manifest.ts";
import { addressKey } from "./address-key.ts";
import type { GateOperation, LimitState } from "./gate-request.ts";
import type { Caller } from "./identity.ts";
import { parseQuota, QuotaBuckets, type Buckets, type KeyRoom, type Quota } from "./rate-quota.ts";
import { atStep } from "./run-operation.ts";
import { SharedBuckets, type SharedQuotas } from "./shared-quota.ts";

/** Who asks, as limits see it. */
export interface LimitedCaller {
  readonly caller: Caller;
  readonly address: string;
}

/** Holds callers to limits. */
export interface RateLimiter {
  /**
   * Counts one operation; a batch counts as its steps.
   * @param nowUs monotonic. @returns the limit nearest to refusing.
   * @throws RATE_LIMITED, details `{ policy, retryAfterSeconds }`, and `step` in a batch.
   */
  admit(operation: GateOperation, who: LimitedCaller, nowUs: number): LimitState;
  /** Before a token is looked at. @throws RATE_LIMITED when too many of this address's tokens failed. */
  admitToken(address: string, nowUs: number): void;
  /** A token of this address failed. */
  countBadToken(address: string, nowUs: number): void;
}

interface DeclaredLimits {
  readonly perUser: Buckets | null;
  readonly perAddress: Buckets | null;
  readonly total: Buckets | null;
}

/** Makes the buckets of a quota. @param name tells it from all others. */
type OpenBuckets = (quota: Quota, name: string) => Buckets;

const minuteUs = 60_000_000;

/**
 * Makes the limiter of one manifest.
 * @param options.random seeds the hash of the overflow buckets.
 * @param options.quotas where counts are kept that threads share. Default: in this thread.
 */
export function openRateLimiter(options: {
  readonly manifest: Manifest;
  readonly limits: Limits;
  readonly random: RandomSource;
  readonly quotas?: SharedQuotas;
}): RateLimiter {
  const { manifest, limits, random, quotas } = options;
  const secret = random.bytes(4).reduce((sum, byte) => (sum << 8) | byte, 0);
  const room: KeyRoom = { left: limits.rateLimitKeysMax, secret };
  const open: OpenBuckets =
    quotas === undefined
      ? (quota) => new QuotaBuckets(quota, room)
      : (quota, name) => new SharedBuckets(quota, name, quotas);
  const perMinute = (count: number, name: string) => open({ count, windowUs: minuteUs }, name);
  const anonymous = perMinute(limits.anonymousPerMinuteMax, "anonymous");
  const signedIn = perMinute(limits.callerPerMinuteMax, "signed-in");
  const badTokens = perMinute(limits.badTokensPerMinuteMax, "bad tokens");

  const calls = new Map<string, DeclaredLimits>();
  for (const [name, { limit }] of Object.entries(manifest.functions)) {
    if (limit !== undefined) calls.set(name, declare(limit, `call ${name}`, open));
  }
  const reads = new Map<string, DeclaredLimits>();
  const writes = new Map<string, DeclaredLimits>();
  for (const [name, table] of Object.entries(manifest.tables)) {
    if (table.limits.read !== undefined)
      reads.set(name, declare(table.limits.read, `read ${name}`, open));
    if (table.limits.write !== undefined)
      writes.set(name, declare(table.limits.write, `write ${name}`, open));
  }

  function declaredFor(
    operation: Exclude<GateOperation, { kind: "batch" }>,
  ): DeclaredLimits | null {
    switch (operation.kind) {
      case "call":
      case "http":
        return calls.get(operation.name) ?? null;
      case "list":
      case "get":
        return reads.get(operation.table) ?? null;
      case "create":
      case "update":
      case "delete":
        return writes.get(operation.table) ?? null;
      default:
        return operation satisfies never;
    }
  }

  function admit(operation: GateOperation, who: LimitedCaller, nowUs: number): LimitState {
    if (operation.kind === "batch") return admitSteps(operation.steps, who, nowUs);
    const declared = declaredFor(operation);
    const { caller, address } = who;
    const general = caller.id === null ? anonymous : signedIn;
    const generalPolicy = caller.id === null ? "address" : "user";
    const generalKey = caller.id ?? addressKey(address);
    assertPasses(general, generalPolicy, generalKey, nowUs);
    if (declared === null) return counted(general, generalPolicy, generalKey, nowUs);

    const { perUser, perAddress, total } = declared;
    // Someone who is not signed in is known by the address only.
    const userKey = caller.id ?? addressKey(address);
    const key = perAddress === null ? "" : addressKey(address);
    const asked: Asked[] = [{ buckets: general, policy: generalPolicy, key: generalKey }];
    if (perUser !== null) asked.push({ buckets: perUser, policy: "user", key: userKey });
    if (perAddress !== null) asked.push({ buckets: perAddress, policy: "address", key });
    if (total !== null) asked.push({ buckets: total, policy: "total", key: "" });
    for (const one of asked) assertPasses(one.buckets, one.policy, one.key, nowUs);
    return countedAll(asked, nowUs);
  }

  function admitSteps(
    steps: readonly GateOperation[],
    who: LimitedCaller,
    nowUs: number,
  ): LimitState {
    const { caller, address } = who;
    const general = caller.id === null ? anonymous : signedIn;
    let tightest: LimitState | null = null;
    // Neither nested nor longer than this: the next stage refuses it, and it costs one request.
    const bounded = steps.length <= limits.batchStepsMax ? steps : [];
    for (const [index, step] of bounded.entries()) {
      if (step.kind === "batch") continue;
      const state = admitStep(step, index, who, nowUs);
      tightest = tightest === null ? state : tighter(tightest, state);
    }
    if (tightest !== null) return tightest;
    const policy = caller.id === null ? "address" : "user";
    const key = caller.id ?? addressKey(address);
    assertPasses(general, policy, key, nowUs);
    return counted(general, policy, key, nowUs);
  }

  function admitStep(
    step: GateOperation,
    index: number,
    who: LimitedCaller,
    nowUs: number,
  ): LimitState {
    try {
      return admit(step, who, nowUs);
    } catch (error) {
      throw atStep(error, index);
    }
  }

  return {
    admit,
    admitToken(address, nowUs) {
      assertPasses(badTokens, "token", addressKey(address), nowUs);
    },
    countBadToken(address, nowUs) {
      badTokens.take(addressKey(address), nowUs);
    },
  };
}

function declare(spec: LimitSpec, name: string, open: OpenBuckets): DeclaredLimits {
  const buckets = (policy: string, text: string | undefined) =>
    text === undefined ? null : open(parseQuota(text), `${name} ${policy}`);
  return {
    perUser: buckets("user", spec.perUser),
    perAddress: buckets("address", spec.perAddress),
    total: buckets("total", spec.total),
  };
}

/** One limit that a request counts for. */
interface Asked {
  readonly buckets: Buckets;
  readonly policy: string;
  readonly key: string;
}

/** Counts a request for all its limits. When another thread took the last place of one, for none of them. */
function countedAll(asked: readonly Asked[], nowUs: number): LimitState {
  let tightest: LimitState | null = null;
  for (const [index, { buckets, policy, key }] of asked.entries()) {
    try {
      const state = counted(buckets, policy, key, nowUs);
      tightest = tightest === null ? state : tighter(tightest, state);
    } catch (error) {
      for (const before of asked.slice(0, index)) before.buckets.giveBack(before.key);
      throw error;
    }
  }
  assert(tightest !== null, "a request counts for a limit");
  return tightest;
}

function assertPasses(buckets: Buckets, policy: string, key: string, nowUs: number): void {
  const waitUs = buckets.waitUs(key, nowUs);
  // A microsecond of slack: the intervals of most quotas are no whole numbers.
  if (waitUs <= 1) return;
  throw rateLimited(buckets, policy, waitUs);
}

function rateLimited(buckets: Buckets, policy: string, waitUs: number): PlatformError {
  return new PlatformError("RATE_LIMITED", {
    policy,
    quota: buckets.quota.count,
    windowSeconds: buckets.quota.windowUs / 1_000_000,
    retryAfterSeconds: Math.max(1, Math.ceil(waitUs / 1_000_000)),
  });
}

/** @throws RATE_LIMITED when another thread was faster. */
function counted(buckets: Buckets, policy: string, key: string, nowUs: number): LimitState {
  const untilFullUs = buckets.take(key, nowUs);
  if (untilFullUs === null) throw rateLimited(buckets, policy, buckets.waitUs(key, nowUs));
  return {
    policy,
    quota: buckets.quota.count,
    windowSeconds: buckets.quota.windowUs / 1_000_000,
    remaining: buckets.remaining(untilFullUs),
    resetSeconds: Math.ceil(untilFullUs / 1_000_000),
  };
}

function tighter(left: LimitState, right: LimitState): LimitState {
  return right.remaining < left.remaining ? right : left;
}
