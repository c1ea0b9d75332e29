// `keelson/stripe`: Stripe's official SDK inside an action, set up for it. The package "stripe" is the app's own
// dependency. What an action may reach and know is declared by spreading `stripeWorld` into its definition.
import { Stripe } from "stripe";
import { secretOr, type ConnectorContext } from "./connector-context.ts";

/** For an action's definition: the hosts and secrets that it needs. `action({ ...stripeWorld, async run(ctx) {} })`. */
export const stripeWorld: {
  readonly hosts: readonly string[];
  readonly secrets: readonly string[];
} = Object.freeze({
  hosts: Object.freeze(["api.stripe.com", "$STRIPE_URL"]),
  secrets: Object.freeze(["STRIPE_SECRET_KEY", "STRIPE_URL"]),
});

/** What `reconcileStripe` needs of an action beside its secrets. */
export interface ReconcileContext extends ConnectorContext {
  readonly webhooks: {
    take(
      hook: string,
      event: { readonly id: string; readonly type?: string; readonly body: unknown },
    ): Promise<{ readonly isNew: boolean }>;
  };
}

/** The SDK's own keys; those that a caller gives look otherwise. */
const ownKey = "stripe-node-retry-";
const keyHeader = "idempotency-key";
const pageMax = 100;

/**
 * Stripe's SDK for this call. `STRIPE_URL` names another address than Stripe's, as a simulator's. In a job, what is sent
 * without an idempotency key gets one of the job's token and the number of the request: an attempt that is made
 * again, in the same order, does not charge again. @throws SECRET_MISSING.
 */
export function stripeOf(ctx: ConnectorContext): Stripe {
  const url = secretOr(ctx, "STRIPE_URL", "");
  const place = url === "" ? null : new URL(url);
  return new Stripe(ctx.secret("STRIPE_SECRET_KEY"), {
    httpClient: Stripe.createFetchHttpClient(keyed(ctx.job?.token ?? null)),
    maxNetworkRetries: 2,
    telemetry: false,
    ...(place === null
      ? {}
      : {
          host: place.hostname,
          protocol: place.protocol === "http:" ? ("http" as const) : ("https" as const),
          port: place.port === "" ? (place.protocol === "http:" && 80) || 443 : Number(place.port),
        }),
  });
}

/** `fetch`, with keys that are the same in every attempt of a job. */
function keyed(token: string | null): typeof fetch {
  if (token === null) return (input, init) => fetch(input, init);
  const numbers = new Map<string, number>();
  return (input, init) => {
    const headers = new Headers(init?.headers);
    const key = headers.get(keyHeader) ?? "";
    if (key.startsWith(ownKey)) {
      // The SDK's own attempts of one request share its key.
      const number = numbers.get(key) ?? numbers.size + 1;
      numbers.set(key, number);
      headers.set(keyHeader, `${token}-${number}`);
    }
    return fetch(input, { ...init, headers });
  };
}

/**
 * Finds what webhooks did not bring: reads Stripe's events since a time and gives them to a hook, oldest first, as if
 * they had come by it. Those that came already are left out.
 * @param options.since seconds since 1970. Stripe keeps events for 30 days. @returns how many were new, and where to
 * go on from.
 */
export async function reconcileStripe(
  ctx: ReconcileContext,
  options: { readonly hook: string; readonly since: number },
): Promise<{ readonly found: number; readonly since: number }> {
  const stripe = stripeOf(ctx);
  const events: Stripe.Event[] = [];
  const listed = stripe.events.list({ created: { gte: options.since }, limit: pageMax });
  for await (const event of listed) events.push(event);
  let { since } = options;
  let found = 0;
  for (const event of events.toReversed()) {
    const { id, type, created } = event;
    const { isNew } = await ctx.webhooks.take(options.hook, { id, type, body: event });
    if (isNew) found += 1;
    since = Math.max(since, created);
  }
  return { found, since };
}
