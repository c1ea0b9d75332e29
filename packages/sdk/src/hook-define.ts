// Incoming webhooks, as modules export them: `hook("stripe", { verify: "stripe", secrets: [...] }, onStripe)`.
import { DefinitionError } from "./definition-error.ts";
import type { HookSpec, WebhookScheme } from "./spec.ts";
import {
  checkFunction,
  readPolicy,
  workMark,
  type QueuePolicyOptions,
  type WorkDescriptor,
} from "./work-define.ts";
import { checkDuration, type Duration } from "./work-duration.ts";

/** How a webhook is taken. */
export interface HookOptions extends Omit<QueuePolicyOptions, "keep"> {
  /** Who signs it, or how. */
  readonly verify: "stripe" | "github" | "standard" | "plaid" | WebhookScheme;
  /**
   * The environment variables that hold its secrets; any of them is good, so that one can be replaced. Plaid: its
   * client id, then its secret.
   */
  readonly secrets: readonly string[];
  /** `cloudevents`: the body holds CloudEvents. Default: the body is the event. */
  readonly form?: "cloudevents";
  /**
   * For senders that keep no order: where the thing stands that an event is about, and the event's time. What is older
   * than the newest that was handled of that thing is left out.
   */
  readonly order?: { readonly key: string; readonly at: string };
  /** How long deliveries can be listed and replayed. Default: "30d". */
  readonly log?: Duration;
}

/** What a function can take of a webhook. */
export interface HookInput {
  /** The sender's id of the event. */
  readonly id: string;
  /** The event's type, where the body says it. */
  readonly type: string | null;
  /** The body: JSON, or text when it is none. */
  readonly body: unknown;
  readonly headers: unknown;
  /** When it came, RFC 3339. */
  readonly at: string;
}

const logMs = 30 * 86_400_000;
const own = ["verify", "secrets", "form", "order", "log"];

/** @throws DefinitionError. */
export function defineHook(
  name: string,
  options: HookOptions,
  fn: unknown,
  at: Function,
): WorkDescriptor {
  if (!/^[a-z][a-z0-9-]{0,62}$/.test(name)) {
    const fix = 'Use small letters, digits and hyphens: "stripe". Its address is /hooks/stripe.';
    throw new DefinitionError(`${JSON.stringify(name)} can't be the name of a hook.`, fix, at);
  }
  const { verify, secrets, form, order, log = logMs, ...policy } = options ?? {};
  readPolicy(options ?? {}, own, at);
  const isNamed = Array.isArray(secrets) && secrets.length > 0;
  if (!isNamed || !secrets.every((secret) => /^[A-Z][A-Z0-9_]{0,99}$/.test(secret))) {
    throw new DefinitionError(
      `The hook "${name}" names no environment variable with its secret.`,
      'Write secrets: ["STRIPE_WEBHOOK_SECRET"]; the secret itself never stands in code.',
      at,
    );
  }
  const scheme = typeof verify === "string" ? ({ kind: verify } as WebhookScheme) : verify;
  if (!["stripe", "github", "standard", "plaid", "hmac"].includes(scheme?.kind)) {
    throw new DefinitionError(
      `The hook "${name}" does not say how it is signed.`,
      'Write verify: "stripe", "github", "standard", "plaid", or { kind: "hmac", ... }.',
      at,
    );
  }
  const spec: Omit<HookSpec, "function"> = {
    ...readPolicy(policy, [], at),
    scheme,
    secrets,
    ...(form !== undefined && { form }),
    ...(order !== undefined && { order }),
    logMs: checkDuration("`log`", log, 60_000, at),
  };
  return {
    kind: "hook",
    fn: checkFunction(fn, at),
    spec: Object.freeze(spec),
    address: name,
    [workMark]: true,
  };
}
