// The world around a server that is attacked: nothing leaves it. Secrets are made up, and what functions send is answered
// here, in the place of the servers that they name. No answer here is a real one: what it shows is what a function
// does with its caller's rights before and after it, not whether it understands a server.
import {
  createHmac,
  createSecretKey,
  generateKeyPairSync,
  randomBytes,
  type KeyObject,
} from "node:crypto";
import type { Json } from "../base/json.ts";
import type { StandInForm } from "../engineer/attack/attack-target.ts";
import { allowHost } from "../isolate/egress-policy.ts";
import type { Egress } from "../isolate/egress.ts";
import type { HookKeys } from "./hook-desk.ts";

/** By which the attack's own key for webhooks of Plaid is asked for. */
export const attackKeyId = "keelson-attack";

/** Keys of both sides: what the server checks with, and what senders sign with. */
export interface AttackHookKeys extends HookKeys {
  secret(name: string): string;
  readonly plaidPrivate: KeyObject;
}

/** What a sealed server has in the place of its environment and the network. */
export interface SealedWorld {
  readonly keys: HookKeys;
  readonly egress: Egress;
}

/** The world of an attack. */
export interface AttackWorld extends SealedWorld {
  readonly keys: AttackHookKeys;
  /** What servers answer from now on. */
  standIn(form: StandInForm): void;
}

const addressNames = /(?:^|_)(?:URL|URI|ORIGIN|ENDPOINT)$/i;

/** Makes secrets up: no two attacks have the same. One that is an address by its name is one. */
export function openAttackHookKeys(): AttackHookKeys {
  const root = createSecretKey(randomBytes(32));
  const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const jwk = pair.publicKey.export({ format: "jwk" });
  return {
    plaidPrivate: pair.privateKey,
    secret: (name) =>
      addressNames.test(name)
        ? `https://${name.toLowerCase().replaceAll("_", "-")}.attack.example`
        : `whsec_${createHmac("sha256", root).update(name).digest("base64")}`,
    plaidKey: (_credentials, asked) =>
      asked === attackKeyId ? { ...jwk, kid: attackKeyId, alg: "ES256" } : null,
  };
}

/** Makes up a world. */
export function openAttackWorld(): AttackWorld {
  const keys = openAttackHookKeys();
  const told = new Set<string>();
  const secret = (name: string): string => {
    const value = keys.secret(name);
    told.add(value);
    return value;
  };
  let form: StandInForm = "object";
  return {
    keys: { ...keys, secret },
    egress: openStandInEgress(told, () => form),
    standIn(next) {
      form = next;
    },
  };
}

/**
 * Answers every request to a host that the function declared: with what was sent, and what answers often have.
 * @param secrets never in an answer: what a function gives out of them is its own doing.
 */
function openStandInEgress(secrets: ReadonlySet<string>, form: () => StandInForm): Egress {
  let count = 0;
  return {
    async send({ request, hosts }) {
      allowHost(new URL(request.url), hosts);
      count += 1;
      const sent = Object.entries(sentOf(request)).filter(
        ([, value]) => ![...secrets].some((secret) => JSON.stringify(value).includes(secret)),
      );
      const one: Json = { ...usual(count, request.url), ...Object.fromEntries(sent) };
      const body = JSON.stringify(form() === "list" ? [one] : one);
      return {
        status: 200,
        statusText: "OK",
        headers: [["content-type", "application/json"]],
        body: Buffer.from(body).toString("base64"),
        url: request.url,
        redirected: false,
      };
    },
  };
}

/** What answers of all kinds of servers are read for. */
function usual(count: number, url: string): { readonly [field: string]: Json } {
  const { origin } = new URL(url);
  const one = { id: `standin_${count}_1`, name: "standin", status: "ok", text: "ok" };
  return {
    id: `standin_${count}`,
    object: "standin",
    ok: true,
    success: true,
    status: "ok",
    message: "ok",
    url: `${origin}/standin/${count}`,
    access_token: `standin_token_${count}`,
    token: `standin_token_${count}`,
    expires_in: 3_600,
    total: 1,
    has_more: false,
    data: [one],
    items: [one],
    results: [one],
    choices: [{ index: 0, text: "ok", message: { role: "assistant", content: "ok" } }],
  };
}

/** The fields of a body that was sent, as JSON or as a form. */
function sentOf({ body }: { readonly body: string | null }): Readonly<Record<string, Json>> {
  const text = body === null ? "" : Buffer.from(body, "base64").toString("utf8");
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Readonly<Record<string, Json>>) : {};
  } catch {
    return Object.fromEntries(new URLSearchParams(text));
  }
}
