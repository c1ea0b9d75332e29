import assert from "node:assert/strict";
import { test } from "node:test";
import { readClients, readProviders } from "./manifest-auth-oidc.ts";
import { SpecMistakes } from "./manifest-mistakes.ts";

function reading<T>(read: (place: Parameters<typeof readClients>[0], value: unknown) => T) {
  return (value: unknown): { readonly read: T; readonly problems: readonly string[] } => {
    const mistakes = new SpecMistakes(() => null);
    const result = read({ mistakes, at: undefined, what: "the app" }, value);
    return { read: result, problems: mistakes.found.map(({ problem }) => problem) };
  };
}

const providers = reading(readProviders);
const clients = reading(readClients);
const provider = { issuer: "https://id.example", clientId: "us" };
const client = { name: "Shop", redirects: ["https://shop.example/back"] };

test("what is left out has its default", () => {
  assert.deepEqual(providers({ google: provider }), {
    read: {
      google: {
        ...provider,
        secret: null,
        scopes: ["openid", "email", "profile"],
        label: "google",
      },
    },
    problems: [],
  });
  assert.deepEqual(clients({ shop: client }), {
    read: {
      shop: {
        ...client,
        secret: null,
        consent: true,
        scopes: ["openid", "email", "profile", "offline_access"],
        logoutRedirects: [],
      },
    },
    problems: [],
  });
  assert.deepEqual(providers(undefined), { read: {}, problems: [] });
  assert.deepEqual(clients(undefined), { read: {}, problems: [] });
});

test("a mistake in a provider or client is told", () => {
  const wrongProviders: readonly unknown[] = [
    1,
    { google: 1 },
    { google: { ...provider, issuer: "http://id.example" } },
    { google: { ...provider, issuer: "javascript:alert(1)" } },
    { google: { ...provider, issuer: "id.example" } },
    { google: { ...provider, issuer: undefined } },
    { google: { ...provider, clientId: "" } },
    { google: { ...provider, secret: "s3cret-value" } },
    { google: { ...provider, scopes: "openid" } },
    { google: { ...provider, verify: false } },
    { "not/a/name": provider },
    { UP: provider },
  ];
  for (const value of wrongProviders) {
    assert.ok(providers(value).problems.length > 0, JSON.stringify(value));
  }
  const wrongClients: readonly unknown[] = [
    { shop: { ...client, redirects: [] } },
    { shop: { ...client, redirects: ["https://shop.example/#x"] } },
    { shop: { ...client, redirects: ["http://shop.example/"] } },
    { shop: { ...client, redirects: ["javascript:alert(1)"] } },
    { shop: { ...client, redirects: ["https://*.example/"], name: "" } },
    { shop: { ...client, logoutRedirects: ["data:text/html,x"] } },
    { shop: { ...client, secret: "lower" } },
    { shop: { ...client, pkce: false } },
    { "a b": client },
  ];
  for (const value of wrongClients) {
    assert.ok(clients(value).problems.length > 0, JSON.stringify(value));
  }
});

test("plain http is for this machine alone", () => {
  for (const redirect of ["http://localhost:3000/back", "http://127.0.0.1/back"]) {
    assert.deepEqual(clients({ shop: { ...client, redirects: [redirect] } }).problems, []);
  }
});
