// The other sides of OpenID Connect that an app names: providers that sign people in to it, clients that it signs
// people in for. Addresses are exact; secrets are named, never written.
import type { AuthClientSpec, AuthProviderSpec } from "@keelson/sdk/spec";
import type { AuthClient, AuthProvider } from "./auth-model.ts";
import { complain, inside, readObject, readTexts, type SpecPlace } from "./manifest-mistakes.ts";

const fix = "See docs/reference/auth-oidc.md.";
const namePattern = /^[a-z][a-z0-9-]{0,39}$/;
const clientPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const secretPattern = /^[A-Z][A-Z0-9_]{0,99}$/;
const providerKeys: readonly (keyof AuthProviderSpec)[] = [
  "issuer",
  "clientId",
  "secret",
  "scopes",
  "label",
];
const clientKeys: readonly (keyof AuthClientSpec)[] = [
  "name",
  "redirects",
  "secret",
  "consent",
  "scopes",
  "logoutRedirects",
];

/** Reads `auth.providers`. */
export function readProviders(
  place: SpecPlace,
  value: unknown,
): Readonly<Record<string, AuthProvider>> {
  const providers: Record<string, AuthProvider> = {};
  for (const [name, each] of entriesOf(place, value)) {
    const own = inside(place, `auth.providers.${name.slice(0, 40)}`);
    const given = readObject(own, each, providerKeys) ?? {};
    if (!namePattern.test(name))
      complain(own, "has a name that is not like google or my-work", fix);
    providers[name] = {
      issuer: readAddress(own, "issuer", given["issuer"]),
      clientId: readText(own, "clientId", given["clientId"]),
      secret: readSecret(own, given["secret"]),
      scopes:
        given["scopes"] === undefined
          ? ["openid", "email", "profile"]
          : (readTexts(own, given["scopes"]) ?? []),
      label: given["label"] === undefined ? name : readText(own, "label", given["label"]),
    };
  }
  return providers;
}

/** Reads `auth.clients`. */
export function readClients(
  place: SpecPlace,
  value: unknown,
): Readonly<Record<string, AuthClient>> {
  const clients: Record<string, AuthClient> = {};
  for (const [id, each] of entriesOf(place, value)) {
    const own = inside(place, `auth.clients.${id.slice(0, 40)}`);
    const given = readObject(own, each, clientKeys) ?? {};
    if (!clientPattern.test(id))
      complain(own, "has an id that is not of letters, digits, dots and dashes", fix);
    const redirects = readTexts(own, given["redirects"]) ?? [];
    if (redirects.length === 0) complain(own, "has no redirects", fix);
    const logout =
      given["logoutRedirects"] === undefined
        ? []
        : (readTexts(own, given["logoutRedirects"]) ?? []);
    for (const each of [...redirects, ...logout]) readAddress(own, "redirects", each);
    clients[id] = {
      name: readText(own, "name", given["name"]),
      redirects,
      secret: readSecret(own, given["secret"]),
      consent: given["consent"] !== false,
      scopes:
        given["scopes"] === undefined
          ? ["openid", "email", "profile", "offline_access"]
          : (readTexts(own, given["scopes"]) ?? []),
      logoutRedirects: logout,
    };
  }
  return clients;
}

function entriesOf(place: SpecPlace, value: unknown): readonly [string, unknown][] {
  return value === undefined ? [] : Object.entries(readObject(place, value, null) ?? {});
}

function readText(place: SpecPlace, key: string, value: unknown): string {
  if (typeof value === "string" && value !== "" && value.length <= 300) return value;
  complain(place, `has no ${key}`, fix);
  return "";
}

/** An address over https; over http only of this machine, for development. */
function readAddress(place: SpecPlace, key: string, value: unknown): string {
  const text = readText(place, key, value);
  if (text === "") return text;
  const url = URL.canParse(text) ? new URL(text) : null;
  const isLocal = url?.hostname === "localhost" || url?.hostname === "127.0.0.1";
  if (
    url === null ||
    url.hash !== "" ||
    !(url.protocol === "https:" || (url.protocol === "http:" && isLocal))
  ) {
    complain(
      place,
      `has a ${key} that is no https address: ${JSON.stringify(text.slice(0, 100))}`,
      fix,
    );
  }
  return text;
}

function readSecret(place: SpecPlace, value: unknown): string | null {
  if (value === undefined) return null;
  if (typeof value === "string" && secretPattern.test(value)) return value;
  complain(
    place,
    "has a secret that is no name of an environment variable",
    "Write the variable's name: SECRET_OF_GOOGLE.",
  );
  return null;
}
