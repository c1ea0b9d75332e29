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
const apple = { clientId: "us", secret: "APPLE_KEY", teamId: "ABCDE12345", keyId: "FGHIJ67890" };
const second = { clientId: "2", preset: "github", label: "GitHub too", scopes: ["read:user"] };
const oauth = {
  clientId: "us",
  authorizationEndpoint: "https://id.example/authorize",
  tokenEndpoint: "https://id.example/token",
  userinfoEndpoint: "https://id.example/me",
  claims: { id: "user.id" },
};
const client = { name: "Shop", redirects: ["https://shop.example/back"] };

test("what is left out has its default", () => {
  assert.deepEqual(providers({ google: provider }), {
    read: {
      google: {
        kind: "openid",
        ...provider,
        isFormPost: false,
        signer: null,
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

test("a provider that is known by name needs its client only", () => {
  const names = ["discord", "github", "gitlab", "google", "microsoft"];
  const given = Object.fromEntries(names.map((name) => [name, { clientId: "us" }]));
  const { read, problems } = providers({ ...given, apple, second });
  assert.deepEqual(problems, []);
  const seen = Object.entries(read).map(([name, each]) => [
    name,
    each.label,
    each.kind === "openid" ? each.issuer : each.userinfoEndpoint,
    each.scopes.join(" "),
  ]);
  assert.deepEqual(seen, [
    ["discord", "Discord", "https://discord.com/api/users/@me", "identify email"],
    ["github", "GitHub", "https://api.github.com/user", "read:user user:email"],
    ["gitlab", "GitLab", "https://gitlab.com", "openid email profile"],
    ["google", "Google", "https://accounts.google.com", "openid email profile"],
    [
      "microsoft",
      "Microsoft",
      "https://login.microsoftonline.com/common/v2.0",
      "openid email profile",
    ],
    ["apple", "Apple", "https://appleid.apple.com", "name email"],
    ["second", "GitHub too", "https://api.github.com/user", "read:user"],
  ]);
  assert.ok(read["apple"]?.kind === "openid" && read["apple"].isFormPost);
  assert.deepEqual(read["apple"].signer, { team: "ABCDE12345", key: "FGHIJ67890" });
});

test("a provider of OAuth 2.0 is what the app says it is", () => {
  assert.deepEqual(providers({ work: oauth }), {
    read: {
      work: {
        kind: "oauth",
        ...oauth,
        emailsEndpoint: null,
        secretIn: "body",
        claims: { id: "user.id", email: null, emailVerified: null, name: null },
        secret: null,
        scopes: [],
        label: "work",
      },
    },
    problems: [],
  });
});

test("a mistake in a provider or client is told", () => {
  const wrongProviders: readonly unknown[] = [
    1,
    { google: 1 },
    { google: { ...provider, issuer: "http://id.example" } },
    { google: { ...provider, issuer: "javascript:alert(1)" } },
    { google: { ...provider, issuer: "id.example" } },
    { work: { clientId: "us" } },
    { google: { clientId: "us", preset: "yahoo" } },
    { google: { ...provider, preset: "google" } },
    { google: { clientId: "us", teamId: "ABCDE12345" } },
    { apple: { clientId: "us", secret: "APPLE_KEY" } },
    { apple: { ...apple, secret: undefined } },
    { apple: { ...apple, keyId: "a key" } },
    { github: { ...oauth, issuer: "https://id.example" } },
    { work: { ...oauth, claims: undefined } },
    { work: { ...oauth, claims: {} } },
    { work: { ...oauth, claims: { id: "a b" } } },
    { work: { ...oauth, claims: { id: "id", admin: "x" } } },
    { work: { ...oauth, tokenEndpoint: undefined } },
    { work: { ...oauth, tokenEndpoint: "http://id.example/token" } },
    { work: { ...oauth, emailsEndpoint: "file:///etc/passwd" } },
    { work: { ...oauth, secretIn: "query" } },
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
