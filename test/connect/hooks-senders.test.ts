// What each sender's own library signs, on a real server: valid, twice, eight at once, out of order, tampered, stale, of
// another secret, of one that was replaced, unicode and raw bytes: one effect or one clear refusal each. Stripe, Standard
// Webhooks, and Plaid, whose tokens jose makes as Plaid does.
import assert from "node:assert/strict";
import { createHash, createHmac, randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { Webhook } from "standardwebhooks";
import { Stripe } from "stripe";
import { startServer, type RunningServer } from "@keelson/server";
import { post, secrets, seenOf, until } from "./hook-scene.ts";

const appDir = join(import.meta.dirname, "app");

type Age = "new" | "old" | "foreign";

interface Signing {
  /** Which secret or key. Default: the newest. */
  readonly by?: Age;
  readonly ageSeconds?: number;
  /** The sender's own name of the event, where it is beside the body. */
  readonly id?: string;
}

interface Sender {
  readonly hook: string;
  sign(
    body: Buffer,
    signing?: Signing,
  ): Promise<Readonly<Record<string, string>>> | Readonly<Record<string, string>>;
}

const standardOf = (text: string): string => `whsec_${Buffer.from(text).toString("base64")}`;
const stripeSecrets: Readonly<Record<Age, string>> = {
  new: secrets.TEST_STRIPE_NEW,
  old: secrets.TEST_STRIPE_OLD,
  foreign: "whsec_of_somebody",
};
const standardSecrets: Readonly<Record<Age, string>> = {
  new: secrets.TEST_STANDARD,
  old: standardOf("an older one of 24 bytes"),
  foreign: standardOf("nobody knows this one 24"),
};
const plaidKeys = {
  new: await generateKeyPair("ES256"),
  old: await generateKeyPair("ES256"),
  foreign: await generateKeyPair("ES256"),
};
const stripeSdk = new Stripe("sk_test_none");
const secondsAgo = (ageSeconds: number): number => Math.floor(Date.now() / 1_000) - ageSeconds;
const isText = (body: Buffer): boolean => Buffer.from(body.toString()).equals(body);

const senders: readonly Sender[] = [
  {
    hook: "allstripe",
    sign(body, { by = "new", ageSeconds = 0 } = {}) {
      const timestamp = secondsAgo(ageSeconds);
      const secret = stripeSecrets[by];
      if (isText(body)) {
        const made = { payload: body.toString(), timestamp, secret };
        return { "stripe-signature": stripeSdk.webhooks.generateTestHeaderString(made) };
      }
      // The SDK signs texts alone; the scheme is over bytes.
      const hash = createHmac("sha256", secret).update(`${timestamp}.`).update(body).digest("hex");
      return { "stripe-signature": `t=${timestamp},v1=${hash}` };
    },
  },
  {
    hook: "allstandard",
    sign(body, { by = "new", ageSeconds = 0, id = randomUUID() } = {}) {
      const at = new Date(secondsAgo(ageSeconds) * 1_000);
      const key = Buffer.from(standardSecrets[by].slice("whsec_".length), "base64");
      const raw = createHmac("sha256", key)
        .update(`${id}.${at.getTime() / 1_000}.`)
        .update(body)
        .digest("base64");
      const signature = isText(body)
        ? new Webhook(standardSecrets[by]).sign(id, at, body.toString())
        : `v1,${raw}`;
      return {
        "webhook-id": id,
        "webhook-timestamp": String(at.getTime() / 1_000),
        "webhook-signature": signature,
      };
    },
  },
  {
    hook: "allplaid",
    async sign(body, { by = "new", ageSeconds = 0 } = {}) {
      const claims = { request_body_sha256: createHash("sha256").update(body).digest("hex") };
      const token = await new SignJWT(claims)
        .setProtectedHeader({ alg: "ES256", kid: by, typ: "JWT" })
        .setIssuedAt(secondsAgo(ageSeconds))
        .sign(plaidKeys[by].privateKey);
      return { "plaid-verification": token };
    },
  },
];

/** Plaid's API, as far as keys go: it has two, the older one of which is good, too. */
async function openKeys(): Promise<{ readonly url: string; close(): void }> {
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (piece: Buffer) => (text += piece.toString()));
    request.on("end", () => {
      const { key_id: kid } = JSON.parse(text) as { readonly key_id: string };
      const pair = kid === "new" || kid === "old" ? plaidKeys[kid] : null;
      if (pair === null) {
        response.writeHead(400).end("{}");
        return;
      }
      void exportJWK(pair.publicKey).then((jwk) => {
        const key = { ...jwk, alg: "ES256", use: "sig", kid, created_at: 1, expired_at: null };
        response.writeHead(200, { "content-type": "application/json" });
        response.end(JSON.stringify({ key, request_id: "1" }));
      });
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() };
}

describe("what senders' own libraries sign", () => {
  const folder = mkdtempSync(join(tmpdir(), "keelson-senders-"));
  const closing = new AsyncDisposableStack();
  let server: RunningServer;

  before(async () => {
    const keys = await openKeys();
    closing.defer(() => keys.close());
    Object.assign(process.env, secrets, {
      TEST_STANDARD_OLD: standardSecrets.old,
      TEST_PLAID_CLIENT_ID: "client",
      TEST_PLAID_SECRET: "secret",
      PLAID_URL: keys.url,
    });
    server = await startServer({ appDir, dataDir: join(folder, "data"), port: 0, threads: 2 });
    closing.defer(async () => void (await server.close()));
  });
  after(async () => {
    await closing.disposeAsync();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  });

  for (const { hook, sign } of senders) {
    const bytes = (value: object): Buffer => Buffer.from(JSON.stringify(value));
    const send = async (body: Buffer, signing: Signing = {}): Promise<string> => {
      const { status, code, repeats } = await post(server.url, hook, {
        body,
        headers: await sign(body, signing),
      });
      return `${status} ${code ?? `known ${repeats}`}`;
    };
    /** What was handled, by what the body says it is. */
    const handled = async (name: string): Promise<readonly number[]> => {
      const rows = await seenOf(server.url, hook);
      return rows
        .filter(({ body }) => body?.["name"] === name)
        .map(({ body }) => Number(body["at"]));
    };
    const becomes = (name: string, at: readonly number[]) =>
      until(
        () => handled(name),
        (found) => JSON.stringify(found) === JSON.stringify(at),
      );

    test(`${hook}: valid, again, and eight at once: one effect each`, async () => {
      const once = bytes({ id: "evt_once", name: "once", at: 1 });
      assert.equal(await send(once, { id: "msg_once" }), "200 known 0");
      assert.equal(await send(once, { id: "msg_once" }), "200 known 1");
      const eight = bytes({ id: "evt_eight", name: "eight", at: 2 });
      const answers = await Promise.all(
        Array.from({ length: 8 }, () => send(eight, { id: "msg_eight" })),
      );
      assert.deepEqual(answers.toSorted(), [
        "200 known 0",
        ...Array<string>(7).fill("200 known 1"),
      ]);
      await becomes("once", [1]);
      await becomes("eight", [2]);
    });

    test(`${hook}: out of order: what is older than the newest is left out`, async () => {
      const at = (id: string, at: number) => bytes({ id, name: "order", thing: `${hook} 1`, at });
      assert.equal(await send(at("evt_20", 20)), "200 known 0");
      await becomes("order", [20]);
      assert.equal(await send(at("evt_10", 10)), "200 known 0");
      assert.equal(await send(at("evt_30", 30)), "200 known 0");
      await becomes("order", [20, 30]);
    });

    test(`${hook}: tampered, stale, of the future, of a secret that is none: refused, and no effect`, async () => {
      const body = bytes({ id: "evt_bad", name: "bad", at: 1 });
      const headers = await sign(body);
      const changed = Buffer.from(body.toString().replace("bad", "sad"));
      const tampered = await post(server.url, hook, { body: changed, headers });
      assert.equal(`${tampered.status} ${tampered.code}`, "401 WEBHOOK_INVALID");
      const longer = await post(server.url, hook, {
        body: Buffer.concat([body, Buffer.from(" ")]),
        headers,
      });
      assert.equal(longer.code, "WEBHOOK_INVALID");
      assert.equal(await send(body, { ageSeconds: 302 }), "401 WEBHOOK_TOO_OLD");
      assert.equal(await send(body, { ageSeconds: -302 }), "401 WEBHOOK_TOO_OLD");
      assert.equal(await send(body, { by: "foreign" }), "401 WEBHOOK_INVALID");
      assert.equal((await post(server.url, hook, { body, headers: {} })).code, "WEBHOOK_INVALID");
      await server.current().work?.dispatcher()?.idle();
      assert.deepEqual(await handled("bad"), []);
      assert.deepEqual(await handled("sad"), []);
    });

    test(`${hook}: a secret that was replaced is good beside the new one`, async () => {
      const body = bytes({ id: "evt_rotated", name: "rotated", at: 1 });
      assert.equal(await send(body, { by: "old" }), "200 known 0");
      await becomes("rotated", [1]);
    });

    test(`${hook}: unicode and bytes that are no text are kept as they came`, async () => {
      const unicode = Buffer.from('{ "id":"evt_ü", "name" : "Größe ♥ 𝄞",\n "at":1 }');
      assert.equal(await send(unicode), "200 known 0");
      await becomes("Größe ♥ 𝄞", [1]);
      const unfit = Buffer.from('{ "id":"evt_nul", "name" : "a\\u0000b\\ud800", "at":1 }');
      assert.equal(await send(unfit), "200 known 0");
      await becomes("a\ufffdb\ufffd", [1]);
      const raw = Buffer.from([0xff, 0x00, 0xfe, 0x7b, 0x0a, 0x80]);
      assert.equal(await send(raw, { id: "msg_raw" }), "200 known 0");
      assert.equal(await send(raw, { id: "msg_raw" }), "200 known 1");
      const where = { kind: "field", field: "hook", condition: { eq: hook } } as const;
      const orderBy = [{ field: "id", descending: true }];
      const page = await server
        .current()
        .store.read((tx) =>
          tx.list({ kind: "list", from: "hookEvent", where, orderBy, limit: 1_000 }, null),
        );
      const kept = page.rows.map(({ body }) => body);
      assert.ok(kept.includes(unicode.toString()), "byte for byte");
      assert.ok(kept.includes(unfit.toString()), "byte for byte");
      assert.equal(kept.filter((body) => body === raw.toString("base64")).length, 1);
    });
  }
});
