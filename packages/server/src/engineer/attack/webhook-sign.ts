// How senders of webhooks sign: the forms that are common enough to be tried. Each takes a secret and a body and
// gives the headers of a delivery. Invariant: a form knows nothing of the function that it is tried on.
import { createHmac } from "node:crypto";

/** What is signed. */
export interface Delivery {
  readonly secret: string;
  readonly body: string;
  /** Of the delivery, in seconds since the epoch. */
  readonly seconds: number;
  /** Name of the header that the function reads. */
  readonly header: string;
  /** A name of the delivery of its own. */
  readonly id: string;
}

/** A way to sign. */
export interface SignForm {
  readonly name: string;
  /** Whether the time is signed too, so that an old delivery can be told. */
  readonly isTimed: boolean;
  headers(delivery: Delivery): Readonly<Record<string, string>>;
}

/** Every form that is tried. */
export const signForms: readonly SignForm[] = [
  plain("HMAC-SHA256, hex", ({ secret, body }) => hmac(secret, body, "hex")),
  plain("HMAC-SHA256, sha256=hex", ({ secret, body }) => `sha256=${hmac(secret, body, "hex")}`),
  plain("HMAC-SHA256, base64", ({ secret, body }) => hmac(secret, body, "base64")),
  plain("the secret itself", ({ secret }) => secret),
  plain("the secret as a bearer token", ({ secret }) => `Bearer ${secret}`),
  {
    name: "t=,v1= over time and body",
    isTimed: true,
    headers: ({ secret, body, seconds, header }) => ({
      [header]: `t=${seconds},v1=${hmac(secret, `${seconds}.${body}`, "hex")}`,
    }),
  },
  {
    name: "Standard Webhooks",
    isTimed: true,
    headers: ({ secret, body, seconds, id }) => ({
      "webhook-id": id,
      "webhook-timestamp": String(seconds),
      "webhook-signature": `v1,${hmac(standardKey(secret), `${id}.${seconds}.${body}`, "base64")}`,
    }),
  },
];

function plain(name: string, value: (delivery: Delivery) => string): SignForm {
  return {
    name,
    isTimed: false,
    headers: (delivery) => ({ [delivery.header]: value(delivery) }),
  };
}

function hmac(secret: string | Buffer, text: string, form: "hex" | "base64"): string {
  return createHmac("sha256", secret).update(text).digest(form);
}

/** `whsec_` and base64, as the standard has it; otherwise the text itself. */
function standardKey(secret: string): string | Buffer {
  return secret.startsWith("whsec_") ? Buffer.from(secret.slice(6), "base64") : secret;
}
