// The other sides of OpenID Connect that an app names: providers that sign people in to it, clients that it signs
// people in for. Addresses are exact; secrets are named, never written.
import type { AuthClientSpec, AuthProviderClaims, AuthProviderSpec } from "@keelson/sdk/spec";
import type { AuthClient, AuthProvider, OAuthProvider, OpenIdProvider } from "./auth-model.ts";
import { complain, inside, readObject, readTexts, type SpecPlace } from "./manifest-mistakes.ts";
import { providerPresets } from "./provider-presets.ts";

const fix = "See docs/reference/auth-oidc.md.";
const namePattern = /^[a-z][a-z0-9-]{0,39}$/;
const clientPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const secretPattern = /^[A-Z][A-Z0-9_]{0,99}$/;
const idPattern = /^[A-Z0-9]{10}$/;
const claimPattern = /^[A-Za-z_][A-Za-z0-9_]{0,99}(?:\.[A-Za-z_][A-Za-z0-9_]{0,99}){0,4}$/;
const commonKeys = ["clientId", "secret", "scopes", "label"] as const;
const appleKeys = ["teamId", "keyId"] as const;
const oauthKeys = [
  "authorizationEndpoint",
  "tokenEndpoint",
  "userinfoEndpoint",
  "emailsEndpoint",
  "secretIn",
  "claims",
] as const;
const claimKeys: readonly (keyof AuthProviderClaims)[] = ["id", "email", "emailVerified", "name"];
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
    if (!namePattern.test(name))
      complain(own, "has a name that is not like google or my-work", fix);
    providers[name] = readProvider(own, name, each);
  }
  return providers;
}

type Given = Readonly<Record<string, unknown>>;
type ProviderKey = keyof AuthProviderSpec;

/** Which of the three forms it is decides which keys mean anything. */
function readProvider(place: SpecPlace, name: string, value: unknown): AuthProvider {
  const looked: Given = typeof value === "object" && value !== null ? (value as Given) : {};
  const isOAuth = oauthKeys.some((key) => looked[key] !== undefined);
  const isPlain = looked["issuer"] !== undefined || isOAuth;
  const preset = looked["preset"] ?? (isPlain ? undefined : name);
  const known = typeof preset === "string" ? providerPresets.get(preset) : undefined;
  if (looked["preset"] !== undefined && known === undefined) {
    const names = [...providerPresets.keys()].join(", ");
    complain(place, `has a preset that is none of ${names}`, fix);
  }
  const keys = (...more: readonly ProviderKey[]) =>
    readObject(place, value, [...commonKeys, "preset", ...more], fix) ?? {};
  if (known?.kind === "oauth") return { ...known, ...readBasics(place, keys(), known) };
  if (known !== undefined) {
    const isSigned = known.signer !== null;
    const given = isSigned ? keys(...appleKeys) : keys();
    const signer = isSigned ? readSigner(place, given) : null;
    return { ...known, ...readBasics(place, given, known), signer };
  }
  const basics = { label: name, scopes: isOAuth ? [] : ["openid", "email", "profile"] };
  if (!isOAuth) {
    const given = keys("issuer");
    const issuer = readAddress(place, "issuer", given["issuer"]);
    const own: OpenIdProvider = {
      kind: "openid",
      issuer,
      isFormPost: false,
      signer: null,
      ...readBasics(place, given, basics),
    };
    return own;
  }
  const given = keys(...oauthKeys);
  return { ...readBasics(place, given, basics), ...readOAuth(place, given) };
}

function readBasics(
  place: SpecPlace,
  given: Given,
  defaults: Pick<AuthProvider, "label" | "scopes">,
): Pick<AuthProvider, "clientId" | "secret" | "scopes" | "label"> {
  const { scopes, label } = given;
  return {
    clientId: readText(place, "clientId", given["clientId"]),
    secret: readSecret(place, given["secret"]),
    scopes: scopes === undefined ? defaults.scopes : (readTexts(place, scopes) ?? []),
    label: label === undefined ? defaults.label : readText(place, "label", label),
  };
}

/** What Apple's key is shown by. */
function readSigner(place: SpecPlace, given: Given): OpenIdProvider["signer"] {
  const [team = "", key = ""] = appleKeys.map((name) => {
    const id = given[name];
    if (typeof id === "string" && idPattern.test(id)) return id;
    complain(place, `has a ${name} that is not of ten letters and digits`, fix);
    return "";
  });
  if (given["secret"] === undefined) complain(place, "has no secret: the key of Apple", fix);
  return { team, key };
}

function readOAuth(
  place: SpecPlace,
  given: Given,
): Omit<OAuthProvider, "clientId" | "secret" | "scopes" | "label"> {
  const at = (key: ProviderKey) => readAddress(place, key, given[key]);
  const claims =
    readObject(inside(place, `${place.what}.claims`), given["claims"], claimKeys, fix) ?? {};
  const claim = (key: keyof AuthProviderClaims): string | null => {
    const path = claims[key];
    if (path === undefined && key !== "id") return null;
    if (typeof path === "string" && claimPattern.test(path)) return path;
    return complain(place, `has claims without a name of a field for ${key}`, fix);
  };
  const { secretIn = "body" } = given;
  if (secretIn !== "body" && secretIn !== "header") {
    complain(place, "has a secretIn that is neither header nor body", fix);
  }
  return {
    kind: "oauth",
    authorizationEndpoint: at("authorizationEndpoint"),
    tokenEndpoint: at("tokenEndpoint"),
    userinfoEndpoint: at("userinfoEndpoint"),
    emailsEndpoint: given["emailsEndpoint"] === undefined ? null : at("emailsEndpoint"),
    secretIn: secretIn === "header" ? "header" : "body",
    claims: {
      id: claim("id") ?? "",
      email: claim("email"),
      emailVerified: claim("emailVerified"),
      name: claim("name"),
    },
  };
}

/** Reads `auth.clients`. */
export function readClients(
  place: SpecPlace,
  value: unknown,
): Readonly<Record<string, AuthClient>> {
  const clients: Record<string, AuthClient> = {};
  for (const [id, each] of entriesOf(place, value)) {
    const own = inside(place, `auth.clients.${id.slice(0, 40)}`);
    const given = readObject(own, each, clientKeys, fix) ?? {};
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
  return value === undefined ? [] : Object.entries(readObject(place, value, null, fix) ?? {});
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
