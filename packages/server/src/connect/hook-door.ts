// `POST /hooks/{name}`: verifies the raw bytes, has them kept, answers. Nothing of the app runs before the answer, so
// the sender never waits for it, and what it is told is true: the event is on disk.
import type { HookSpec } from "@keelson/sdk/spec";
import type { JWK } from "jose";
import type { Json } from "../base/json.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { Later } from "../base/later.ts";
import type { AuthRate, AuthRates } from "../auth/auth-rates.ts";
import { addressKey } from "../gate/address-key.ts";
import { fitText } from "../model/field-format.ts";
import type { Manifest } from "../model/manifest.ts";
import { cloudEventToJson } from "./cloud-event.ts";
import { readCloudEvents } from "./cloud-event-http.ts";
import { hookOf } from "./hook-app.ts";
import {
  jsonOrNull,
  receiveHookName,
  type ReceivedEvent,
  type ReceivedHook,
} from "./hook-receive.ts";
import { placeIn } from "./json-place.ts";
import { fitName } from "./sender-text.ts";
import type { WebhookDelivery } from "./webhook-delivery.ts";
import { verifyWebhook } from "./webhook-verify.ts";

/** What the door works with. */
export interface HookDesk {
  readonly manifest: Manifest;
  readonly jsonDepthMax: number;
  readonly perMinuteMax: number;
  readonly badPerMinuteMax: number;
  readonly rates: AuthRates;
  nowMs(): number;
  /** A secret by the name of its environment variable; null when it is not set. */
  secret(name: string): string | null;
  /** Plaid's public key of this name. */
  plaidKey(credentials: readonly string[], kid: string): Later<JWK | null>;
  /** Runs a procedure in the writer. */
  run(procedure: string, input: Json, requestId: string): Promise<Json>;
}

/** Headers that are kept: what senders say of an event, never a signature. */
const keptHeaders =
  /^(?:content-type|user-agent|x-[\w\-]+-(?:delivery|event|id|topic|hook-id)|ce-[a-z0-9]+|webhook-id)$/v;
const headerCharsMax = 1_000;
const idCharsMax = 300;

/** Where a delivery comes from. */
export interface HookSender {
  readonly requestId: string;
  /** Network address. */
  readonly address: string;
}

/**
 * Before anything of a delivery is read: whether its sender may send one now. Counts it.
 * @throws NOT_FOUND; RATE_LIMITED when too many come from there, or too many whose signature was wrong.
 */
export function admitHook(desk: HookDesk, name: string, { address }: HookSender): void {
  if (hookOf(desk, name) === null) throw new PlatformError("NOT_FOUND");
  const key = addressKey(address);
  const bad = badRate(desk, name);
  // Asks by counting, so that what is told is when to come again.
  desk.rates.take(bad, key);
  desk.rates.giveBack(bad, key);
  desk.rates.take({ name: `hook ${name}`, quota: `${desk.perMinuteMax}/minute` }, key);
}

function badRate(desk: HookDesk, name: string): AuthRate {
  return { name: `signature ${name}`, quota: `${desk.badPerMinuteMax}/minute` };
}

/**
 * Takes a delivery.
 * @returns how many of its events were known already.
 * @throws NOT_FOUND; WEBHOOK_INVALID, WEBHOOK_TOO_OLD; WEBHOOK_UNREADY when its secrets are not set; EVENT_INVALID.
 */
export async function takeHook(
  desk: HookDesk,
  name: string,
  delivery: WebhookDelivery,
  { requestId, address }: HookSender,
): Promise<{ readonly repeats: number }> {
  const spec = hookOf(desk, name);
  if (spec === null) throw new PlatformError("NOT_FOUND");
  const secrets = secretsOf(desk, name, spec);
  let verified;
  try {
    verified = await verifyWebhook(spec.scheme, delivery, {
      secrets: spec.scheme.kind === "plaid" ? [] : secrets,
      nowMs: desk.nowMs(),
      publicKey: (kid) => desk.plaidKey(secrets, kid),
    });
  } catch (error) {
    if (isForged(error)) desk.rates.take(badRate(desk, name), addressKey(address));
    throw error;
  }
  const input: ReceivedHook = {
    hook: name,
    events: eventsOf(spec, delivery, verified.eventId, desk.jsonDepthMax),
    headers: kept(delivery.headers),
    signedAtMs: verified.signedAtMs,
  };
  return (await desk.run(receiveHookName, input as unknown as Json, requestId)) as unknown as {
    readonly repeats: number;
  };
}

function isForged(error: unknown): boolean {
  if (!(error instanceof PlatformError)) return false;
  return error.code === "WEBHOOK_INVALID" || error.code === "WEBHOOK_TOO_OLD";
}

function eventsOf(
  spec: HookSpec,
  delivery: WebhookDelivery,
  eventId: string,
  depthMax: number,
): readonly ReceivedEvent[] {
  if (spec.form === "cloudevents") {
    return readCloudEvents(delivery, depthMax).map((event) => ({
      // Unique are source and id together.
      event: fitName(`${event.source} ${event.id}`, idCharsMax),
      type: fitText(event.type.slice(0, idCharsMax)),
      body: JSON.stringify(cloudEventToJson(event)),
      form: "text",
    }));
  }
  const taken = bodyOf(delivery.body);
  const type = typeOf(spec, delivery, taken);
  const short = typeof type === "string" ? fitText(type.slice(0, idCharsMax)) : null;
  return [{ event: fitName(eventId, idCharsMax), type: short, ...taken }];
}

/** What kind of event it is. GitHub says so in a header only, which its signature leaves out. */
function typeOf(
  { scheme }: HookSpec,
  { headers }: WebhookDelivery,
  { form, body }: Pick<ReceivedEvent, "body" | "form">,
): Json {
  if (scheme.kind === "github") return headers["x-github-event"] ?? null;
  return form === "text" ? placeIn(jsonOrNull(body), "type") : null;
}

function secretsOf(desk: HookDesk, name: string, { secrets, scheme }: HookSpec): readonly string[] {
  const found = secrets.map((variable) => desk.secret(variable));
  const isReady =
    scheme.kind === "plaid" ? !found.includes(null) : found.some((one) => one !== null);
  // Without a secret nothing can be told from a forgery, so nothing is taken.
  if (!isReady) throw new PlatformError("WEBHOOK_UNREADY", { hook: name, set: [...secrets] });
  return found.filter((one) => one !== null);
}

function bodyOf(bytes: Uint8Array): Pick<ReceivedEvent, "body" | "form"> {
  try {
    const body = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    // No JSON has that byte: these are bytes of something else that happen to be UTF-8.
    if (!body.includes("\0")) return { body, form: "text" };
  } catch {
    // Bytes that are no text.
  }
  return { body: Buffer.from(bytes).toString("base64"), form: "base64" };
}

function kept(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      keptHeaders.test(name) ? [[name, value.slice(0, headerCharsMax)]] : [],
    ),
  );
}
