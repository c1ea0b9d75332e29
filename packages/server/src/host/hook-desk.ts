// What the door of webhooks works with on a real host: secrets of the environment, Plaid's keys over the network.
// Each version of the app has one in each thread that serves.
import { openAuthRates } from "../auth/auth-rates.ts";
import type { HookDesk } from "../connect/hook-door.ts";
import { PlaidKeys } from "../connect/plaid-keys.ts";
import type { Clock } from "../base/clock.ts";
import type { Json } from "../base/json.ts";
import type { Limits } from "../base/limits.ts";
import type { RandomSource } from "../base/random.ts";
import type { SharedQuotas } from "../gate/shared-quota.ts";
import { startWork } from "../gate/work.ts";
import type { Writer } from "../gate/writer.ts";
import type { Manifest } from "../model/manifest.ts";
import { workJob } from "../work/work-submit.ts";
import { environmentSecret } from "./environment-secret.ts";
import { openRealEgress } from "./real-egress.ts";

/** What it is made of. */
export interface HookDeskParts {
  readonly manifest: Manifest;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly limits: Limits;
  readonly writer: Pick<Writer, "submit">;
  /** Memory that threads share. Default: of this thread. */
  readonly quotas?: SharedQuotas;
  /** What signatures are checked with. Default: the environment's secrets, and Plaid's keys over the network. */
  readonly keys?: HookKeys;
}

/** What signatures are checked with. */
export type HookKeys = Pick<HookDesk, "secret" | "plaidKey">;

/** Opens it; keys are asked for when the first webhook of Plaid comes. */
export function openHookDesk(parts: HookDeskParts): HookDesk {
  const { manifest, clock, random, limits, writer, quotas } = parts;
  let keys: PlaidKeys | null = null;
  const plaidKeys = () =>
    (keys ??= new PlaidKeys({
      egress: openRealEgress(),
      nowMs: () => clock.nowMs(),
      url: environmentSecret("PLAID_URL"),
    }));
  return {
    manifest,
    jsonDepthMax: limits.jsonDepthMax,
    perMinuteMax: limits.hookPerMinuteMax,
    badPerMinuteMax: limits.badHooksPerMinuteMax,
    rates: openAuthRates({
      clock,
      random,
      keysMax: limits.rateLimitKeysMax,
      ...(quotas === undefined ? {} : { quotas }),
    }),
    nowMs: () => clock.nowMs(),
    ...(parts.keys ?? {
      secret: environmentSecret,
      plaidKey: (credentials, kid) => plaidKeys().key(credentials, kid),
    }),
    async run(procedure, input, requestId) {
      const job = workJob(parts, { procedure, input, requestId, cause: "POST /hooks" });
      return JSON.parse((await writer.submit(job, startWork())).json) as Json;
    },
  };
}
