import assert from "node:assert/strict";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { openProtocolScene } from "../auth/protocol-scene.case.ts";
import { readForeignDocument } from "../auth/oidc-client/foreign-document.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { OpenIdProvider } from "../model/auth-model.ts";
import { openAuthFetch } from "./auth-fetch.ts";
import { openRealEgress } from "./real-egress.ts";

let port = 0;
const seen: string[] = [];
const server = http.createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => void chunks.push(chunk));
  request.on("end", () => {
    const { method = "", url = "", headers } = request;
    seen.push([method, url, headers.accept, Buffer.concat(chunks).toString()].join(" "));
    if (url === "/moved") response.writeHead(302, { location: "/elsewhere" }).end("moved");
    else if (url === "/none") response.writeHead(204).end();
    else response.writeHead(200, { "content-type": "application/json" }).end('{"a":"ü"}');
  });
});

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ({ port } = server.address() as AddressInfo);
});
after(() => {
  server.closeAllConnections();
  server.close();
});

const names: Readonly<Record<string, readonly string[]>> = {
  localhost: ["127.0.0.1"],
  "id.example.com": ["127.0.0.1"],
  "mixed.example.com": ["8.8.8.8", "10.0.0.1"],
  "metadata.example.com": ["169.254.169.254"],
  "six.example.com": ["::ffff:127.0.0.1"],
};
const egress = openRealEgress({
  resolve: (name) => Promise.resolve(names[name] ?? []),
});
const authFetch = openAuthFetch(egress);

function provider(issuer: string): OpenIdProvider {
  return {
    kind: "openid",
    issuer,
    clientId: "us",
    secret: null,
    scopes: [],
    label: "",
    isFormPost: false,
    signer: null,
  };
}

test("text goes and comes, and a redirect is shown", async () => {
  seen.length = 0;
  const headers = { accept: "application/json" };
  const init = { method: "POST", headers, body: "a=1" };
  const answer = await authFetch(`http://localhost:${port}/x?y`, init);
  assert.deepEqual([answer.status, await answer.json()], [200, { a: "ü" }]);
  const moved = await authFetch(`http://127.0.0.1:${port}/moved`);
  assert.equal(moved.status, 302);
  const none = await authFetch(`http://127.0.0.1:${port}/none`);
  assert.deepEqual([none.status, await none.text()], [204, ""]);
  const [first, ...others] = seen;
  assert.equal(first, "POST /x?y application/json a=1");
  assert.equal(others.length, 2);
});

test("a public name that leads to a private address is not asked", async () => {
  seen.length = 0;
  for (const name of Object.keys(names).filter((each) => each.includes("."))) {
    await assert.rejects(
      () => authFetch(`http://${name}:${port}/`),
      (error) => error instanceof PlatformError && error.code === "EGRESS_DENIED",
      name,
    );
  }
  assert.deepEqual(seen, []);
});

test("a name that the app says is internal is asked at its private address, and no other name is", async () => {
  seen.length = 0;
  const internal = openAuthFetch(egress, ["id.example.com"]);
  assert.equal((await internal(`http://id.example.com:${port}/a`)).status, 200);
  assert.equal((await internal(`http://ID.EXAMPLE.COM:${port}/b`)).status, 200);
  assert.equal(seen.length, 2);
  const others = ["mixed.example.com", "metadata.example.com", "six.example.com"];
  for (const name of [...others, "id.example.com."]) {
    await assert.rejects(
      () => internal(`http://${name}:${port}/`),
      (error) => error instanceof PlatformError && error.code.startsWith("EGRESS_"),
      name,
    );
  }
  assert.equal(seen.length, 2);
});

test("a provider whose document is at a private address signs nobody in, and says why", async () => {
  const providers = {
    public: provider(`http://id.example.com:${port}`),
    named: provider(`http://localhost:${port}`),
  };
  const scene = await openProtocolScene({ settings: { providers }, fetch: authFetch });
  try {
    seen.length = 0;
    const refused = await scene.ask(null, "GET /auth/providers/public/start");
    assert.equal(refused.code, "PROVIDER_FAILED");
    const { reason } = refused.json;
    assert.equal(reason, "it does not answer: the name leads to a private address");
    assert.deepEqual(seen, []);
    // What the app names itself is asked: here for a document, which it is not.
    const asked = await scene.ask(null, "GET /auth/providers/named/start");
    assert.equal(asked.code, "PROVIDER_FAILED");
    assert.deepEqual(seen, ["GET /.well-known/openid-configuration application/json "]);
  } finally {
    await scene.close();
  }
});

test("a provider at a host that the app says is internal is asked, and leads to others of those", async () => {
  const issuer = `http://id.example.com:${port}`;
  const internalHosts = ["id.example.com", "login.example.com"];
  const settings = { internalHosts, providers: { work: provider(issuer) } };
  const scene = await openProtocolScene({ settings, fetch: openAuthFetch(egress, internalHosts) });
  try {
    seen.length = 0;
    const asked = await scene.ask(null, "GET /auth/providers/work/start");
    assert.deepEqual(seen, ["GET /.well-known/openid-configuration application/json "]);
    assert.equal(asked.json["reason"], "its document is of another issuer");
  } finally {
    await scene.close();
  }
  const document = (of: string, host: string) => ({
    issuer: of,
    authorization_endpoint: `${of}/a`,
    token_endpoint: `https://${host}/t`,
    jwks_uri: `${of}/k`,
  });
  const reads = (of: string, host: string) => () =>
    readForeignDocument(document(of, host), of, internalHosts);
  assert.equal(
    reads("https://id.example.com", "login.example.com")().tokenEndpoint,
    "https://login.example.com/t",
  );
  // A provider out there must not make us ask a place in here.
  const outside = { code: "PROVIDER_FAILED" };
  assert.throws(reads("https://accounts.example.org", "login.example.com"), outside);
  assert.throws(reads("https://id.example.com", "10.0.0.1"), outside);
  assert.ok(reads("https://accounts.example.org", "keys.example.org")());
});
