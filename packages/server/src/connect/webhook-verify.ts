// Whether a webhook is genuine: its signature over the raw bytes, its age, its body's hash. Compared in constant
// time. Several secrets may be good at once, so that one can be replaced without losing a delivery.
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { JWK } from "jose";
import { andThen, recover, type Later } from "../base/later.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { WebhookScheme } from "@keelson/sdk/spec";
import type { VerifiedWebhook, WebhookDelivery } from "./webhook-delivery.ts";

/** What verifying needs beside the delivery. */
export interface WebhookKeys {
  /** Shared secrets that are good now, as the sender gave them. Not used by Plaid. */
  readonly secrets: readonly string[];
  /** Plaid: its public key of this name, or null when it has none. */
  readonly publicKey?: (kid: string) => Later<JWK | null>;
  readonly nowMs: number;
}

/** How old a signed delivery may be, and how far ahead its sender's clock. Every scheme recommends five minutes. */
export const webhookAgeMsMax = 300_000;

/**
 * Verifies a delivery.
 * @throws WEBHOOK_INVALID when it is not signed by the sender; WEBHOOK_TOO_OLD when it is, and is a replay of long ago.
 */
export function verifyWebhook(
  scheme: WebhookScheme,
  delivery: WebhookDelivery,
  keys: WebhookKeys,
): Later<VerifiedWebhook> {
  switch (scheme.kind) {
    case "stripe":
      return verifyStripe(delivery, keys);
    case "github":
      return verifyGithub(delivery, keys);
    case "standard":
      return verifyStandard(delivery, keys);
    case "plaid":
      return verifyPlaid(delivery, keys);
    case "hmac":
      return verifyHmac(scheme, delivery, keys);
    default:
      return scheme satisfies never;
  }
}

function verifyStripe({ headers, body }: WebhookDelivery, keys: WebhookKeys): VerifiedWebhook {
  const fields = headerOf(headers, "stripe-signature")
    .split(",")
    .map((part) => part.trim().split("=", 2));
  const seconds = fields.find(([name]) => name === "t")?.[1] ?? "";
  const given = fields.flatMap(([name, value]) => (name === "v1" && value ? [value] : []));
  const content = Buffer.concat([Buffer.from(`${seconds}.`), body]);
  const matches = keys.secrets.some((secret) => {
    const wanted = createHmac("sha256", secret).update(content).digest();
    return given.some((signature) => isSame(wanted, signature, "hex"));
  });
  if (!matches) throw invalid("no signature of Stripe-Signature fits the body and the secret");
  const signedAtMs = freshTime(seconds, keys.nowMs);
  return { eventId: idInBody(body) ?? hashOf(body), signedAtMs };
}

function verifyGithub(
  { headers, body }: WebhookDelivery,
  { secrets }: WebhookKeys,
): VerifiedWebhook {
  const given = headerOf(headers, "x-hub-signature-256");
  if (!given.startsWith("sha256="))
    throw invalid("X-Hub-Signature-256 does not begin with sha256=");
  const matches = secrets.some((secret) =>
    isSame(createHmac("sha256", secret).update(body).digest(), given.slice(7), "hex"),
  );
  if (!matches) throw invalid("X-Hub-Signature-256 does not fit the body and the secret");
  return { eventId: headers["x-github-delivery"] ?? hashOf(body), signedAtMs: null };
}

function verifyStandard({ headers, body }: WebhookDelivery, keys: WebhookKeys): VerifiedWebhook {
  const id = headerOf(headers, "webhook-id");
  const seconds = headerOf(headers, "webhook-timestamp");
  const given = headerOf(headers, "webhook-signature")
    .split(" ")
    .flatMap((one) => (one.startsWith("v1,") ? [one.slice(3)] : []));
  const content = Buffer.concat([Buffer.from(`${id}.${seconds}.`), body]);
  const matches = keys.secrets.some((secret) => {
    const wanted = createHmac("sha256", standardSecret(secret)).update(content).digest();
    return given.some((signature) => isSame(wanted, signature, "base64"));
  });
  if (!matches) throw invalid("no v1 signature of webhook-signature fits the body and the secret");
  return { eventId: id, signedAtMs: freshTime(seconds, keys.nowMs) };
}

/** The bytes of a Standard Webhooks secret: `whsec_` and base64. */
export function standardSecret(secret: string): Buffer {
  return Buffer.from(secret.startsWith("whsec_") ? secret.slice(6) : secret, "base64");
}

function verifyPlaid(
  { headers, body }: WebhookDelivery,
  keys: WebhookKeys,
): Later<VerifiedWebhook> {
  const token = headerOf(headers, "plaid-verification");
  const header = protectedHeader(token);
  // The algorithm is asked for before any key is: a token may not choose how it is checked.
  if (header.alg !== "ES256" || header.kid === undefined) {
    throw invalid("Plaid-Verification is no ES256 token with a key's name");
  }
  const found = keys.publicKey?.(header.kid) ?? null;
  return andThen(found, async (key) => {
    // Loaded when it is needed: a start is in a hurry, and few apps have to do with Plaid.
    const { importJWK, jwtVerify } = await import("jose");
    if (key === null) throw invalid("Plaid has no key of that name");
    const payload = await recover(
      async () => {
        const verified = await jwtVerify(token, await importJWK(key, "ES256"), {
          algorithms: ["ES256"],
          // oxlint-disable-next-line no-restricted-globals -- jose takes the time of our clock as a Date
          currentDate: new Date(keys.nowMs),
        });
        return verified.payload;
      },
      (cause): never => {
        throw invalid("Plaid-Verification is not signed by Plaid", cause);
      },
    );
    const hash = payload["request_body_sha256"];
    const wanted = createHash("sha256").update(body).digest();
    if (typeof hash !== "string" || !isSame(wanted, hash, "hex")) {
      throw invalid("the body is not the one that was signed");
    }
    return { eventId: hash, signedAtMs: freshTime(String(payload.iat ?? ""), keys.nowMs) };
  });
}

function verifyHmac(
  scheme: Extract<WebhookScheme, { readonly kind: "hmac" }>,
  { headers, body }: WebhookDelivery,
  { secrets, nowMs }: WebhookKeys,
): VerifiedWebhook {
  const { header, algorithm, encoding, prefix = "", timeHeader, idHeader } = scheme;
  const given = headerOf(headers, header.toLowerCase());
  if (!given.startsWith(prefix)) throw invalid(`${header} does not begin with ${prefix}`);
  const seconds = timeHeader === undefined ? null : headerOf(headers, timeHeader.toLowerCase());
  const content = seconds === null ? body : Buffer.concat([Buffer.from(`${seconds}.`), body]);
  const matches = secrets.some((secret) =>
    isSame(
      createHmac(algorithm, secret).update(content).digest(),
      given.slice(prefix.length),
      encoding,
    ),
  );
  if (!matches) throw invalid(`${header} does not fit the body and the secret`);
  const named = idHeader === undefined ? undefined : headers[idHeader.toLowerCase()];
  return {
    eventId: named === undefined || named === "" ? hashOf(body) : named,
    signedAtMs: seconds === null ? null : freshTime(seconds, nowMs),
  };
}

function headerOf(headers: Readonly<Record<string, string>>, name: string): string {
  const value = headers[name];
  if (value === undefined || value === "") throw invalid(`the header ${name} is missing`);
  return value;
}

/** The time in ms, when it is within bounds. Asked after the signature: an unsigned time says nothing. */
function freshTime(seconds: string, nowMs: number): number {
  if (!/^\d{1,12}$/v.test(seconds)) throw invalid("it has no time in seconds");
  const atMs = Number(seconds) * 1_000;
  if (Math.abs(nowMs - atMs) > webhookAgeMsMax) throw new PlatformError("WEBHOOK_TOO_OLD");
  return atMs;
}

function isSame(wanted: Buffer, given: string, encoding: "hex" | "base64"): boolean {
  const bytes = Buffer.from(given, encoding);
  return bytes.length === wanted.length && timingSafeEqual(bytes, wanted);
}

function hashOf(body: Uint8Array): string {
  return createHash("sha256").update(body).digest("hex");
}

/** `id` of a JSON body that is signed. */
function idInBody(body: Uint8Array): string | null {
  try {
    const { id } = JSON.parse(Buffer.from(body).toString()) as { readonly id?: unknown };
    return typeof id === "string" && id !== "" && id.length <= 255 ? id : null;
  } catch {
    return null;
  }
}

function protectedHeader(token: string): { readonly alg?: string; readonly kid?: string } {
  try {
    const [first = ""] = token.split(".", 1);
    const { alg, kid } = JSON.parse(Buffer.from(first, "base64url").toString()) as {
      readonly alg?: unknown;
      readonly kid?: unknown;
    };
    return {
      ...(typeof alg === "string" ? { alg } : {}),
      ...(typeof kid === "string" ? { kid } : {}),
    };
  } catch (cause) {
    throw invalid("Plaid-Verification is no token", cause);
  }
}

function invalid(problem: string, cause?: unknown): PlatformError {
  return new PlatformError("WEBHOOK_INVALID", { problem }, { cause });
}
