// Webhooks of an app under attack: what their senders would send, signed with secrets that are made up. Invariant:
// every scheme of the SDK has its sender here.
import { createHash, createHmac, sign, type KeyObject } from "node:crypto";
import type { HookSpec, WebhookScheme } from "@keelson/sdk/spec";
import { signWebhook } from "../connect/webhook-sign.ts";
import type { HookDelivery, HookTarget } from "../engineer/attack/attack-target.ts";
import type { Manifest } from "../model/manifest.ts";
import { attackKeyId, openAttackHookKeys, type AttackHookKeys } from "./attack-world.ts";

/** Every webhook that comes in to an app. */
export function attackHooks({ work }: Manifest, keys: AttackHookKeys): readonly HookTarget[] {
  const foreign = openAttackHookKeys();
  return Object.entries(work?.hooks ?? {}).map(([name, spec]) => ({
    name,
    function: spec.function,
    isTimed: isTimed(spec.scheme),
    // GitHub signs no name either; that is its scheme, not the app's choice.
    idHeader: spec.scheme.kind === "hmac" ? (spec.scheme.idHeader ?? null) : null,
    delivery: ({ isForeign = false, ...event }) =>
      deliveryOf(spec, event, isForeign ? foreign : keys),
  }));
}

function isTimed(scheme: WebhookScheme): boolean {
  if (scheme.kind === "hmac") return scheme.timeHeader !== undefined;
  return scheme.kind !== "github";
}

type Event = Omit<Parameters<HookTarget["delivery"]>[0], "isForeign">;

function deliveryOf(spec: HookSpec, event: Event, keys: AttackHookKeys): HookDelivery {
  const { id, type, data } = event;
  const isCloudEvent = spec.form === "cloudevents";
  const body = JSON.stringify(
    isCloudEvent
      ? { specversion: "1.0", id, type, source: "urn:keelson:attack", data }
      : { id, type, data, ...data },
  );
  const plain = {
    "content-type": isCloudEvent ? "application/cloudevents+json" : "application/json",
  };
  return { plain, body, signed: signedBy(spec, { event, body }, keys) };
}

function signedBy(
  { scheme, secrets }: HookSpec,
  { event, body }: { readonly event: Event; readonly body: string },
  keys: AttackHookKeys,
): Readonly<Record<string, string>> {
  const { id, atMs } = event;
  const secret = keys.secret(secrets[0] ?? "");
  const seconds = String(Math.floor(atMs / 1_000));
  switch (scheme.kind) {
    case "stripe": {
      const mac = createHmac("sha256", secret).update(`${seconds}.${body}`).digest("hex");
      return { "stripe-signature": `t=${seconds},v1=${mac}` };
    }
    case "github": {
      const mac = createHmac("sha256", secret).update(body).digest("hex");
      return { "x-hub-signature-256": `sha256=${mac}`, "x-github-delivery": id };
    }
    case "standard":
      return signWebhook({ id, atMs, body: Buffer.from(body) }, [secret]);
    case "plaid":
      return { "plaid-verification": plaidToken(body, Number(seconds), keys.plaidPrivate) };
    case "hmac": {
      const { header, algorithm, encoding, prefix = "", timeHeader, idHeader } = scheme;
      const text = timeHeader === undefined ? body : `${seconds}.${body}`;
      const mac = createHmac(algorithm, secret).update(text).digest(encoding);
      return {
        [header.toLowerCase()]: `${prefix}${mac}`,
        ...(timeHeader === undefined ? {} : { [timeHeader.toLowerCase()]: seconds }),
        ...(idHeader === undefined ? {} : { [idHeader.toLowerCase()]: id }),
      };
    }
    default:
      return scheme satisfies never;
  }
}

function plaidToken(body: string, iat: number, key: KeyObject): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const hash = createHash("sha256").update(body).digest("hex");
  const text = `${part({ alg: "ES256", kid: attackKeyId, typ: "JWT" })}.${part({ iat, request_body_sha256: hash })}`;
  const signature = sign("sha256", Buffer.from(text), { key, dsaEncoding: "ieee-p1363" });
  return `${text}.${signature.toString("base64url")}`;
}
