import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { test } from "node:test";
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from "jose";
import { Webhook } from "standardwebhooks";
import { Stripe } from "stripe";
import { PlatformError } from "../base/platform-error.ts";
import type { WebhookScheme } from "@keelson/sdk/spec";
import type { WebhookDelivery } from "./webhook-delivery.ts";
import { signWebhook } from "./webhook-sign.ts";
import { verifyWebhook, type WebhookKeys } from "./webhook-verify.ts";

const nowMs = 1_800_000_000_000;
const nowSeconds = nowMs / 1_000;
const body = Buffer.from('{"id":"evt_1","type":"charge.paid","amount":"12,50 €"}');
const stripe = new Stripe("sk_test_none");

async function refusal(
  scheme: WebhookScheme,
  delivery: WebhookDelivery,
  keys: WebhookKeys,
): Promise<string> {
  try {
    await verifyWebhook(scheme, delivery, keys);
  } catch (error) {
    if (error instanceof PlatformError) return error.code;
    throw error;
  }
  return "taken";
}

function stripeHeader(secret: string, timestamp = nowSeconds): string {
  return stripe.webhooks.generateTestHeaderString({ payload: body.toString(), secret, timestamp });
}

test("what Stripe's own SDK signs is taken, with any secret that is good", async () => {
  const delivery = { headers: { "stripe-signature": stripeHeader("whsec_new") }, body };
  const keys = { secrets: ["whsec_old", "whsec_new"], nowMs };
  assert.deepEqual(await verifyWebhook({ kind: "stripe" }, delivery, keys), {
    eventId: "evt_1",
    signedAtMs: nowMs,
  });
});

test("Stripe: another body, another secret, no header, an old time, a time that was changed", async () => {
  const scheme = { kind: "stripe" } as const;
  const keys = { secrets: ["whsec_new"], nowMs };
  const signature = stripeHeader("whsec_new");
  const other = Buffer.from(body.toString().replace("12,50", "99,99"));
  assert.equal(
    await refusal(scheme, { headers: { "stripe-signature": signature }, body: other }, keys),
    "WEBHOOK_INVALID",
  );
  assert.equal(
    await refusal(scheme, { headers: { "stripe-signature": stripeHeader("x") }, body }, keys),
    "WEBHOOK_INVALID",
  );
  assert.equal(await refusal(scheme, { headers: {}, body }, keys), "WEBHOOK_INVALID");
  const old = stripeHeader("whsec_new", nowSeconds - 301);
  assert.equal(
    await refusal(scheme, { headers: { "stripe-signature": old }, body }, keys),
    "WEBHOOK_TOO_OLD",
  );
  const moved = old.replace(/t=\d+/, `t=${nowSeconds}`);
  assert.equal(
    await refusal(scheme, { headers: { "stripe-signature": moved }, body }, keys),
    "WEBHOOK_INVALID",
  );
  // A scheme of before (v0) is no signature, however right it is.
  const downgraded = signature.replace("v1=", "v0=");
  assert.equal(
    await refusal(scheme, { headers: { "stripe-signature": downgraded }, body }, keys),
    "WEBHOOK_INVALID",
  );
});

test("GitHub's example of its documentation is taken", async () => {
  const delivery = {
    headers: {
      "x-hub-signature-256":
        "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
      "x-github-delivery": "72d3162e",
    },
    body: Buffer.from("Hello, World!"),
  };
  const keys = { secrets: ["It's a Secret to Everybody"], nowMs };
  assert.deepEqual(await verifyWebhook({ kind: "github" }, delivery, keys), {
    eventId: "72d3162e",
    signedAtMs: null,
  });
  const changed = { ...delivery, body: Buffer.from("Hello, world!") };
  assert.equal(await refusal({ kind: "github" }, changed, keys), "WEBHOOK_INVALID");
});

const secret = `whsec_${Buffer.from("a secret of twenty-four b").toString("base64")}`;

test("what the standardwebhooks library signs is taken, and it takes what we sign", async () => {
  const library = new Webhook(secret);
  const signature = library.sign("msg_1", new Date(nowMs), body.toString());
  const headers = {
    "webhook-id": "msg_1",
    "webhook-timestamp": String(nowSeconds),
    "webhook-signature": `v1,AAAA ${signature}`,
  };
  const keys = { secrets: [secret], nowMs };
  assert.deepEqual(await verifyWebhook({ kind: "standard" }, { headers, body }, keys), {
    eventId: "msg_1",
    signedAtMs: nowMs,
  });
  const other = { ...headers, "webhook-id": "msg_2" };
  assert.equal(
    await refusal({ kind: "standard" }, { headers: other, body }, keys),
    "WEBHOOK_INVALID",
  );
  // The library asks its machine's clock for the age.
  const ours = signWebhook({ id: "msg_3", atMs: Date.now(), body }, ["whsec_AAAA", secret]);
  assert.deepEqual(library.verify(body.toString(), { ...ours }), JSON.parse(body.toString()));
});

const { privateKey, publicKey } = await generateKeyPair("ES256");
const jwk = await exportJWK(publicKey);
const hash = createHash("sha256").update(body).digest("hex");
const plaid = { kind: "plaid" } as const;
const plaidKeys = {
  secrets: [],
  nowMs,
  publicKey: (kid: string) => Promise.resolve(kid === "key_1" ? jwk : null),
};

function plaidToken(claims: Record<string, unknown>, iat = nowSeconds, kid = "key_1") {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: "ES256", kid })
    .setIssuedAt(iat)
    .sign(privateKey);
}

test("Plaid: the body's hash and the age are part of the signature", async () => {
  const token = await plaidToken({ request_body_sha256: hash });
  const delivery = { headers: { "plaid-verification": token }, body };
  assert.deepEqual(await verifyWebhook(plaid, delivery, plaidKeys), {
    eventId: hash,
    signedAtMs: nowMs,
  });
  const changed = { ...delivery, body: Buffer.from("{}") };
  assert.equal(await refusal(plaid, changed, plaidKeys), "WEBHOOK_INVALID");
  const old = await plaidToken({ request_body_sha256: hash }, nowSeconds - 301);
  assert.equal(
    await refusal(plaid, { headers: { "plaid-verification": old }, body }, plaidKeys),
    "WEBHOOK_TOO_OLD",
  );
});

test("Plaid: a key that it does not have, no algorithm, a shared secret in place of a key", async () => {
  const claims = { request_body_sha256: hash };
  const foreign = await plaidToken(claims, nowSeconds, "key_2");
  const unsigned = new UnsecuredJWT(claims).setIssuedAt(nowSeconds).encode();
  // Key confusion: the public key's text used as an HMAC secret.
  const confused = await new SignJWT(claims)
    .setProtectedHeader({ alg: "HS256", kid: "key_1" })
    .setIssuedAt(nowSeconds)
    .sign(Buffer.from(JSON.stringify(jwk)));
  const another = await generateKeyPair("ES256");
  const forged = await new SignJWT(claims)
    .setProtectedHeader({ alg: "ES256", kid: "key_1" })
    .setIssuedAt(nowSeconds)
    .sign(another.privateKey);
  for (const token of [foreign, unsigned, confused, forged, "x.y.z", "nonsense"]) {
    const delivery = { headers: { "plaid-verification": token }, body };
    assert.equal(await refusal(plaid, delivery, plaidKeys), "WEBHOOK_INVALID", token);
  }
});

test("an HMAC of one's own: header, prefix, encoding and time as declared", async () => {
  const scheme = {
    kind: "hmac",
    header: "X-Acme-Signature",
    algorithm: "sha512",
    encoding: "base64",
    prefix: "v2=",
    timeHeader: "X-Acme-Time",
    idHeader: "X-Acme-Id",
  } as const;
  const sign = (seconds: string) =>
    `v2=${createHmac("sha512", "s").update(`${seconds}.`).update(body).digest("base64")}`;
  const headers = {
    "x-acme-signature": sign(String(nowSeconds)),
    "x-acme-time": String(nowSeconds),
    "x-acme-id": "7",
  };
  const keys = { secrets: ["s"], nowMs };
  assert.deepEqual(await verifyWebhook(scheme, { headers, body }, keys), {
    eventId: "7",
    signedAtMs: nowMs,
  });
  const later = { ...headers, "x-acme-time": String(nowSeconds + 1) };
  assert.equal(await refusal(scheme, { headers: later, body }, keys), "WEBHOOK_INVALID");
  const noTime = { ...headers, "x-acme-signature": sign("soon"), "x-acme-time": "soon" };
  assert.equal(await refusal(scheme, { headers: noTime, body }, keys), "WEBHOOK_INVALID");
  assert.equal(await refusal(scheme, { headers, body }, { secrets: [], nowMs }), "WEBHOOK_INVALID");
});
