// For tests of webhooks: senders of every kind, and a wait for what comes of them.
import { createHmac, randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { Webhook } from "standardwebhooks";
import { Stripe } from "stripe";

/** Where the secrets of the test's app are. */
export const secrets = {
  TEST_STRIPE_NEW: "whsec_new_of_stripe",
  TEST_STRIPE_OLD: "whsec_old_of_stripe",
  TEST_GITHUB: "secret of github",
  TEST_STANDARD: `whsec_${Buffer.from("0123456789abcdef01234567").toString("base64")}`,
  TEST_SHOP: "secret of the shop",
} as const;

/** What the server said. */
export interface HookAnswer {
  readonly status: number;
  readonly code: string | null;
  readonly repeats: number | null;
}

/** A row that a handler left. */
export interface Seen {
  readonly event: string;
  readonly type: string | null;
  readonly body: { readonly [key: string]: unknown };
  readonly headers: { readonly [name: string]: string };
  readonly by: string | null;
}

const stripe = new Stripe("sk_test_none");
const deadlineMs = 20_000;

/** Posts a body to a hook. */
export async function post(
  url: string,
  hook: string,
  {
    body,
    headers,
  }: { readonly body: string | Buffer; readonly headers: Readonly<Record<string, string>> },
): Promise<HookAnswer> {
  const response = await fetch(`${url}/hooks/${hook}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: new Uint8Array(Buffer.from(body)),
  });
  const said = (await response.json()) as { readonly code?: string; readonly repeats?: number };
  return { status: response.status, code: said.code ?? null, repeats: said.repeats ?? null };
}

/** A delivery signed by Stripe's own SDK. */
export function byStripe(
  event: object,
  {
    secret = secrets.TEST_STRIPE_NEW,
    ageSeconds = 0,
  }: { readonly secret?: string; readonly ageSeconds?: number } = {},
): { readonly body: string; readonly headers: Readonly<Record<string, string>> } {
  const body = JSON.stringify(event, null, 2);
  const timestamp = Math.floor(Date.now() / 1_000) - ageSeconds;
  const signature = stripe.webhooks.generateTestHeaderString({ payload: body, secret, timestamp });
  return { body, headers: { "stripe-signature": signature } };
}

/** A delivery signed by the library of Standard Webhooks. */
export function byStandard(
  body: string,
  id: string = randomUUID(),
): { readonly body: string; readonly headers: Readonly<Record<string, string>> } {
  const at = new Date();
  const signature = new Webhook(secrets.TEST_STANDARD).sign(id, at, body);
  return {
    body,
    headers: {
      "webhook-id": id,
      "webhook-timestamp": String(Math.floor(at.getTime() / 1_000)),
      "webhook-signature": signature,
    },
  };
}

/** An HMAC of the body. */
export function hmac(secret: string, body: string, encoding: "hex" | "base64"): string {
  return createHmac("sha256", secret).update(body).digest(encoding);
}

/** Calls a function of the module hooks. */
export async function call(url: string, name: string, args: object): Promise<unknown> {
  const response = await fetch(`${url}/api/fn/hooks.${name}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(args),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return text === "" ? null : JSON.parse(text);
}

/** Rows that the handlers of a hook left, the oldest first. */
export async function seenOf(url: string, hook: string): Promise<readonly Seen[]> {
  return (await call(url, "seen", { hook })) as readonly Seen[];
}

/** Waits until something is so. @throws when it does not become so. */
export async function until<T>(ask: () => Promise<T>, isSo: (value: T) => boolean): Promise<T> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const value = await ask();
    if (isSo(value)) return value;
    if (Date.now() > end) throw new Error(`it did not come: ${JSON.stringify(value)}`);
    await wait(20);
  }
}
