// Limits of identity's own addresses, beyond those of the gate. Counted in memory that all threads share; a restart
// forgets them. A limit names what it holds back (an address, an account from one network...) by a key.
import type { Clock } from "../base/clock.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { RandomSource } from "../base/random.ts";
import { parseQuota, QuotaBuckets, type Buckets, type KeyRoom } from "../gate/rate-quota.ts";
import { SharedBuckets, type SharedQuotas } from "../gate/shared-quota.ts";

/** One limit: its name, and how much it lets through: `10/minute`. */
export interface AuthRate {
  readonly name: string;
  readonly quota: string;
}

/** Holds callers to limits. */
export interface AuthRates {
  /** Whether one more would pass. Counts nothing. */
  passes(rate: AuthRate, key: string): boolean;
  /** Counts one. @throws RATE_LIMITED, details `{ policy, retryAfterSeconds }`. */
  take(rate: AuthRate, key: string): void;
  /** Takes back one that turned out to be innocent. */
  giveBack(rate: AuthRate, key: string): void;
}

/** Opens them. @param parts.quotas memory that threads share. Default: in this thread. @param parts.keysMax callers remembered without it. */
export function openAuthRates(parts: {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly keysMax: number;
  readonly quotas?: SharedQuotas;
}): AuthRates {
  const { clock, random, quotas, keysMax } = parts;
  const secret = random.bytes(4).reduce((sum, byte) => (sum << 8) | byte, 0);
  const room: KeyRoom = { left: keysMax, secret };
  const opened = new Map<string, Buckets>();
  const bucketsOf = ({ name, quota }: AuthRate): Buckets => {
    const known = opened.get(name);
    if (known !== undefined) return known;
    const parsed = parseQuota(quota);
    const made =
      quotas === undefined
        ? new QuotaBuckets(parsed, room)
        : new SharedBuckets(parsed, `auth ${name}`, quotas);
    opened.set(name, made);
    return made;
  };
  const refused = (rate: AuthRate, waitUs: number): PlatformError =>
    new PlatformError("RATE_LIMITED", {
      policy: rate.name,
      retryAfterSeconds: Math.max(1, Math.ceil(waitUs / 1_000_000)),
    });
  return {
    passes: (rate, key) => bucketsOf(rate).waitUs(key, clock.monotonicUs()) <= 1,
    take(rate, key) {
      const buckets = bucketsOf(rate);
      const nowUs = clock.monotonicUs();
      const waitUs = buckets.waitUs(key, nowUs);
      if (waitUs > 1) throw refused(rate, waitUs);
      if (buckets.take(key, nowUs) === null) throw refused(rate, buckets.waitUs(key, nowUs));
    },
    giveBack: (rate, key) => bucketsOf(rate).giveBack(key),
  };
}
