// Incoming webhooks as plain JSON: who signs them and how, and what handles them.

/** A way of signing. */
export type WebhookScheme =
  /** `Stripe-Signature: t=...,v1=...` (https://docs.stripe.com/webhooks/signature). */
  | { readonly kind: "stripe" }
  /** `X-Hub-Signature-256` (https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries). */
  | { readonly kind: "github" }
  /** `webhook-id`, `webhook-timestamp`, `webhook-signature` (https://www.standardwebhooks.com). */
  | { readonly kind: "standard" }
  /** `Plaid-Verification`: an ES256 token over the body's hash (https://plaid.com/docs/api/webhooks/webhook-verification). */
  | { readonly kind: "plaid" }
  /** An HMAC of the body in a header of the sender's own. */
  | {
      readonly kind: "hmac";
      readonly header: string;
      readonly algorithm: "sha256" | "sha512";
      readonly encoding: "hex" | "base64";
      /** What stands before the signature in the header: `sha256=`. */
      readonly prefix?: string;
      /** A header with the time in seconds since 1970, signed as `time.body`. Default: no time is signed. */
      readonly timeHeader?: string;
      /** A header that names the event. Default: the body's hash does. */
      readonly idHeader?: string;
    };

/** What an address that another server sends events to has beside the policy of a queue. */
export interface HookSettings {
  readonly scheme: WebhookScheme;
  /** Names of environment variables that hold the secrets that are good now. Plaid: its client id, then its secret. */
  readonly secrets: readonly string[];
  /** `cloudevents`: what is signed holds CloudEvents, each of them handled by itself. Default: the body is the event. */
  readonly form?: "cloudevents";
  /** Where in the body the thing stands that an event is about, and its time: an event older than the newest is left out. */
  readonly order?: { readonly key: string; readonly at: string };
  /** How long deliveries can be listed and replayed. */
  readonly logMs: number;
}
