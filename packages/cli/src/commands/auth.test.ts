// The keys of id_tokens, turned by the operator while the server runs: as a client sees it.
import assert from "node:assert/strict";
import { createHash, createPublicKey, verify, type webcrypto } from "node:crypto";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { keelson, serve, tempFolder } from "../command-scene.case.ts";

const template = new URL("../../template/", import.meta.url);
const email = "ada@example.com";
const password = "seven small boats at dawn";
/** Of that password. */
const passwordHash = "$2b$06$F7biaiT5IhEukMUMLRdlluVF3n8KblR7xrXLECXA2IxnqfmRvfsvu";
const redirectUri = "https://shop.example/back";
const verifier = "v".repeat(50);

type Key = webcrypto.JsonWebKey & { readonly kid: string };

/** An app that other systems sign in with, and somebody who may. */
function newApp(context: { after(fn: () => void): void }): string {
  const folder = tempFolder(context);
  cpSync(template, folder, { recursive: true });
  const file = join(folder, "keelson", "app.ts");
  const text = readFileSync(file, "utf8");
  const own = `auth: { clients: { shop: { name: "Shop", redirects: ["${redirectUri}"], consent: false } } },`;
  assert.ok(text.includes("app({"));
  writeFileSync(file, text.replace("app({", `app({ ${own}`));
  const person = { id: "1", email, encrypted_password: passwordHash };
  writeFileSync(join(folder, "ada.ndjson"), `${JSON.stringify(person)}\n`);
  const taken = keelson(folder, ["users", "import", "ada.ndjson", "--from=supabase"]);
  assert.equal(taken.status, 0, taken.err);
  return folder;
}

async function keysAt(url: string): Promise<readonly Key[]> {
  const response = await fetch(`${url}/auth/oidc/keys`);
  return ((await response.json()) as { keys: Key[] }).keys;
}

/** Signs in at the app for the shop. @returns the id_token. */
async function idToken(url: string): Promise<string> {
  const sent = { "content-type": "application/json" };
  const signedIn = await fetch(`${url}/auth/sign-in`, {
    ...{ method: "POST", headers: sent, body: JSON.stringify({ email, password }) },
  });
  assert.equal(signedIn.status, 200);
  const cookie = (signedIn.headers.getSetCookie()[0] ?? "").split(";")[0] ?? "";
  const query = new URLSearchParams({
    ...{ client_id: "shop", redirect_uri: redirectUri, response_type: "code", scope: "openid" },
    ...{ state: "s", code_challenge_method: "S256" },
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
  });
  const gone = await fetch(`${url}/auth/oidc/authorize?${query.toString()}`, {
    ...{ redirect: "manual", headers: { cookie } },
  });
  const code = new URL(gone.headers.get("location") ?? "").searchParams.get("code") ?? "";
  const given = await fetch(`${url}/auth/oidc/token`, {
    method: "POST",
    body: new URLSearchParams({
      ...{ grant_type: "authorization_code", client_id: "shop", redirect_uri: redirectUri },
      ...{ code_verifier: verifier, code },
    }),
  });
  assert.equal(given.status, 200);
  return ((await given.json()) as { id_token: string }).id_token;
}

/** The key that a token names and is signed with, of those published now; null: it is none of them. */
async function signerOf(url: string, token: string): Promise<string | null> {
  const [head = "", body = "", signature = ""] = token.split(".");
  const { kid } = JSON.parse(Buffer.from(head, "base64url").toString()) as { kid: string };
  const key = (await keysAt(url)).find((each) => each.kid === kid);
  if (key === undefined) return null;
  const holds = verify(
    "sha256",
    Buffer.from(`${head}.${body}`),
    createPublicKey({ key, format: "jwk" }),
    Buffer.from(signature, "base64url"),
  );
  return holds ? kid : null;
}

for (const threads of [0, 2]) {
  test(`keys turn at once, with ${threads} threads that serve`, async (context) => {
    const app = newApp(context);
    const server = await serve(app, ["start", `--threads=${threads}`]);
    context.after(() => server.stop());
    const before = await idToken(server.url);
    const first = await signerOf(server.url, before);
    assert.ok(first !== null);
    assert.equal(await signerOf(server.url, await idToken(server.url)), first);

    const turned = keelson(app, ["auth", "rotate-keys", "--json"]);
    assert.equal(turned.status, 0, turned.err);
    const { publishedUntil } = JSON.parse(turned.out) as { publishedUntil: string };
    const minutes = (Date.parse(publishedUntil) - Date.now()) / 60_000;
    assert.ok(minutes > 9 && minutes <= 11, publishedUntil);
    // Every thread, whichever answers: all that is signed from now on is by the new key, and what was signed before holds.
    const signers = new Set<string | null>();
    for (let count = 0; count < 8; count++) {
      signers.add(await signerOf(server.url, await idToken(server.url)));
      assert.equal(await signerOf(server.url, before), first);
    }
    assert.equal(signers.size, 1);
    const [second] = signers;
    assert.ok(second !== null && second !== first);
    assert.deepEqual(
      (await keysAt(server.url)).map(({ kid }) => kid),
      [first, second],
    );
    assert.match(keelson(app, ["auth", "rotate"]).err, /WORD_UNKNOWN/);
  });
}
