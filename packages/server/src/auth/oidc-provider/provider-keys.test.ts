// The keys of id_tokens over time: a new one is published before it signs, an old one as long as anybody may hold what
// it signed.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { AuthDesk } from "../auth-desk.ts";
import { openAuthSecrets } from "../auth-secrets.ts";
import { openProtocolScene, type ProtocolScene } from "../protocol-scene.case.ts";
import { providerKeys, turnProviderKeys } from "./provider-keys.ts";
import { readIdTokenHint, signIdToken } from "./provider-tokens.ts";

const dayMs = 86_400_000;
const minuteMs = 60_000;
const settings = { clients: { shop: clientOf("https://shop.example/back") } };

function clientOf(redirect: string) {
  return {
    name: "Shop",
    redirects: [redirect],
    secret: null,
    consent: true,
    scopes: ["openid"],
    logoutRedirects: [],
  };
}

async function inScene(run: (scene: ProtocolScene) => Promise<void>): Promise<void> {
  const scene = await openProtocolScene({ settings });
  try {
    await run(scene);
    assert.deepEqual(scene.reports, []);
  } finally {
    await scene.close();
  }
}

/** The same server in another thread: its own memory, the same data. */
function anotherThread({ desk }: ProtocolScene): AuthDesk {
  return { ...desk, secrets: openAuthSecrets(desk.keys, desk.random) };
}

async function kidsOf(desk: AuthDesk): Promise<{ signing: string; published: string[] }> {
  const { signing, published } = await providerKeys(desk, "test");
  return { signing: signing.kid, published: published.map(({ kid }) => kid) };
}

test("a key is followed by another, which is published before it signs and after it signed", () =>
  inScene(async (scene) => {
    const { desk, clock } = scene;
    const { signing: first, published } = await kidsOf(desk);
    assert.deepEqual(published, [first]);
    clock.ms += 90 * dayMs - minuteMs;
    assert.deepEqual(await kidsOf(desk), { signing: first, published: [first] });
    clock.ms += 20 * minuteMs;
    const renewed = await kidsOf(desk);
    assert.equal(renewed.signing, first);
    assert.equal(renewed.published.length, 2);
    const second = renewed.published[1] ?? "";
    const { json } = await scene.ask(null, "GET /auth/oidc/keys");
    const listed = json["keys"] as readonly { readonly kid: string; readonly d?: string }[];
    assert.deepEqual(
      listed.map(({ kid }) => kid),
      [first, second],
    );
    assert.ok(listed.every((key) => key.d === undefined));
    clock.ms += dayMs;
    assert.deepEqual(await kidsOf(desk), { signing: second, published: [first, second] });
    clock.ms += 31 * dayMs;
    assert.deepEqual(await kidsOf(desk), { signing: second, published: [second] });
    // The next turn drops what is over from the data, too.
    clock.ms += 60 * dayMs;
    assert.equal((await kidsOf(desk)).published[0], second);
    const rows = (await scene.rows("authTicket")).filter(({ purpose }) => purpose === "oidcKey");
    assert.equal(rows.length, 2);
  }));

test("all threads turn to the same key, also when all come at once", () =>
  inScene(async (scene) => {
    const threads = [scene.desk, anotherThread(scene), anotherThread(scene)];
    const kidsOfAll = () => Promise.all(threads.map((desk) => kidsOf(desk)));
    const [first, ...others] = await kidsOfAll();
    for (const other of others) assert.deepEqual(other, first);
    scene.clock.ms += 91 * dayMs;
    const [renewed, ...too] = await kidsOfAll();
    assert.equal(renewed?.published.length, 2);
    for (const other of too) assert.deepEqual(other, renewed);
    assert.equal((await scene.rows("authTicket")).length, 2);
  }));

test("a key that the operator turns away signs nothing more, in any thread, and goes when its tokens have", () =>
  inScene(async (scene) => {
    const { desk, clock } = scene;
    const threads = [desk, anotherThread(scene), anotherThread(scene)];
    const kidsOfAll = () => Promise.all(threads.map((each) => kidsOf(each)));
    const turn = () => desk.run(turnProviderKeys, null, { requestId: "t", nowMs: clock.ms });
    const [before] = await kidsOfAll();
    const first = before?.signing ?? "";
    // A new key waits for its day already: it is turned away as well, it was there.
    clock.ms += 90 * dayMs;
    const waiting = (await kidsOf(desk)).published[1] ?? "";
    const { publishedUntil } = await turn();
    assert.equal(publishedUntil, new Date(clock.ms + 11 * minuteMs).toISOString());
    const turned = await kidsOfAll();
    const second = turned[0]?.signing ?? "";
    assert.ok(second !== first && second !== waiting);
    for (const each of turned) {
      assert.deepEqual(each, { signing: second, published: [first, waiting, second] });
    }
    // For the tokens that it signed a moment before.
    clock.ms += 11 * minuteMs - 1;
    assert.deepEqual((await kidsOf(desk)).published, [first, waiting, second]);
    clock.ms += 1;
    for (const each of await kidsOfAll()) {
      assert.deepEqual(each, { signing: second, published: [second] });
    }
    // Twice within a minute, and the turns of every 90 days go on.
    await turn();
    const third = (await kidsOf(desk)).signing;
    await turn();
    const fourth = (await kidsOf(desk)).signing;
    assert.equal(new Set([first, waiting, second, third, fourth]).size, 5);
    assert.deepEqual((await kidsOf(desk)).published, [second, third, fourth]);
    clock.ms += 90 * dayMs;
    const renewed = await kidsOf(desk);
    assert.equal(renewed.signing, fourth);
    clock.ms += dayMs;
    assert.equal((await kidsOf(desk)).signing, renewed.published.at(-1));
    const rows = await scene.rows("authTicket");
    assert.equal(rows.filter(({ purpose }) => purpose === "oidcKey").length, 2);
  }));

test("a turn before there was any key, and many turns at once, leave one key that signs", () =>
  inScene(async (scene) => {
    const { desk, clock } = scene;
    const turn = () => desk.run(turnProviderKeys, null, { requestId: "t", nowMs: clock.ms });
    await turn();
    const first = (await kidsOf(desk)).signing;
    assert.deepEqual((await kidsOf(desk)).published, [first]);
    await Promise.all([turn(), turn(), turn(), kidsOf(desk), kidsOf(anotherThread(scene))]);
    const settled = await kidsOf(desk);
    assert.notEqual(settled.signing, first);
    assert.deepEqual(await kidsOf(anotherThread(scene)), settled);
  }));

test("an id_token from before the turn is still a hint; one of a key that is gone is none", () =>
  inScene(async (scene) => {
    const { desk, clock } = scene;
    const { signing } = await providerKeys(desk, "test");
    const facts = {
      client: "shop",
      nonce: null,
      authAtMs: clock.ms,
      methods: ["pwd"],
      accessToken: "a",
      claims: { sub: "ann" },
    };
    const issuer = "https://tickets.example.com";
    const token = await signIdToken(signing, facts, { issuer, nowMs: clock.ms });
    const read = async () => {
      const { published } = await providerKeys(desk, "test");
      return readIdTokenHint(published, token, { issuer, client: "shop" });
    };
    for (const [days, subject] of [
      [91, "ann"],
      [2, "ann"],
      [31, null],
    ] as const) {
      clock.ms += days * dayMs;
      assert.equal(await read(), subject, `${days}`);
    }
  }));

test("where the key file is another one, what it can't open is replaced", () =>
  inScene(async (scene) => {
    const before = await kidsOf(scene.desk);
    const { desk } = scene;
    const lost: AuthDesk = {
      ...desk,
      secrets: {
        ...openAuthSecrets(desk.keys, desk.random),
        seal: (label, text) => desk.secrets.seal(`${label} 2`, text),
        unseal: (label, sealed) => desk.secrets.unseal(`${label} 2`, sealed),
      },
    };
    const after = await kidsOf(lost);
    assert.equal(after.published.length, 1);
    assert.notEqual(after.signing, before.signing);
    assert.equal((await scene.rows("authTicket")).length, 1);
  }));
