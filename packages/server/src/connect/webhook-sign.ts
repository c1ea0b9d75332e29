// Signing what we send, by Standard Webhooks (https://www.standardwebhooks.com): HMAC-SHA256 over id, time and body.
// While a secret is being replaced a delivery carries a signature by each.
import { createHmac } from "node:crypto";
import { standardSecret } from "./webhook-verify.ts";

/** The headers of a delivery. @param secrets `whsec_...`, the newest first, at least one. */
export function signWebhook(
  { id, atMs, body }: { readonly id: string; readonly atMs: number; readonly body: Uint8Array },
  secrets: readonly string[],
): Readonly<Record<string, string>> {
  const seconds = Math.floor(atMs / 1_000);
  const content = Buffer.concat([Buffer.from(`${id}.${seconds}.`), body]);
  const signatures = secrets.map((secret) => {
    const hmac = createHmac("sha256", standardSecret(secret)).update(content).digest("base64");
    return `v1,${hmac}`;
  });
  return {
    "webhook-id": id,
    "webhook-timestamp": String(seconds),
    "webhook-signature": signatures.join(" "),
  };
}
