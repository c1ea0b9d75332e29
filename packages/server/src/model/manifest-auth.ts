// Reads what an app says of identity (`app({ auth })`) from its specification: everything checked, every default
// filled in.
import type { AuthSpec } from "@keelson/sdk/spec";
import { defaultAuth, type AuthModel } from "./auth-model.ts";
import { readClients, readProviders } from "./manifest-auth-oidc.ts";
import type { TableModel } from "./manifest.ts";
import { complain, inside, readObject, readTexts, type SpecPlace } from "./manifest-mistakes.ts";

const switches = ["magicLink", "emailCode", "guests", "passkeys", "totp", "keys"] as const;
const keys: readonly (keyof AuthSpec)[] = [
  "signUp",
  "signUpFields",
  "password",
  ...switches,
  "secondFactorFor",
  "organisations",
  "providers",
  "internalHosts",
  "clients",
  "redirects",
  "schemes",
  "url",
  "name",
];
const fix = "See docs/auth.md for what `app({ auth })` takes.";
const passwordMin = { least: 8, most: 64 };
const roleChars = 50;
const hostPattern = /^(?:[a-z0-9_-]{1,63}\.)+[a-z][a-z0-9-]{0,62}$/;
const defaultOrgRoles = ["owner", "admin", "member"];

/** Reads `auth` of an app's specification. @param value untrusted; undefined: nothing was said. @param user the table. */
export function readAuth(app: SpecPlace, value: unknown, user: TableModel | undefined): AuthModel {
  const place = inside(app, "the app's auth");
  const own = defaultSignUpFields(user);
  const defaults: AuthModel = { ...defaultAuth, signUpFields: own };
  if (value === undefined) return defaults;
  const given = readObject(place, value, keys, fix) ?? {};
  const flags = Object.fromEntries(
    switches.map((key) => [key, readFlag(place, key, given[key], defaults[key])]),
  ) as Record<(typeof switches)[number], boolean>;
  if (flags.guests) checkGuests(place, user);
  return {
    signUp: readSignUp(place, given["signUp"]),
    signUpFields: readSignUpFields(place, given["signUpFields"], user) ?? own,
    password: readPassword(place, given["password"]),
    ...flags,
    secondFactorFor: readNames(place, "secondFactorFor", given["secondFactorFor"]),
    organisations: readOrganisations(place, given["organisations"]),
    providers: readProviders(inside(place, "auth.providers"), given["providers"]),
    internalHosts: readInternalHosts(place, given["internalHosts"]),
    clients: readClients(inside(place, "auth.clients"), given["clients"]),
    redirects: readRedirects(place, given["redirects"]),
    schemes: readSchemes(place, given["schemes"]),
    url: readUrl(place, given["url"]),
    name: readName(place, given["name"]),
  };
}

function defaultSignUpFields(user: TableModel | undefined): readonly string[] {
  return user?.fields["name"]?.kind === "text" ? ["name"] : [];
}

/** A guest's row has nothing but what the table itself says. */
function checkGuests(place: SpecPlace, user: TableModel | undefined): void {
  for (const [name, field] of Object.entries(user?.fields ?? {})) {
    if (name === "id" || field.optional === true || field.default !== undefined) continue;
    complain(
      inside(place, "auth.guests"),
      `is true, but nobody asks a guest for user.${name}, which is required`,
      "Make the field `.optional()`, or give it a `.default(...)`.",
    );
  }
}

function readFlag(place: SpecPlace, key: string, value: unknown, otherwise: boolean): boolean {
  if (value === undefined) return otherwise;
  if (typeof value === "boolean") return value;
  complain(inside(place, `auth.${key}`), "is neither true nor false", fix);
  return otherwise;
}

function readSignUp(place: SpecPlace, value: unknown): AuthModel["signUp"] {
  if (value === undefined || value === "open") return "open";
  if (value !== "closed")
    complain(inside(place, "auth.signUp"), 'is neither "open" nor "closed"', fix);
  return "closed";
}

/** Never the fields that identity itself fills in, nor what rights hang on. */
function readSignUpFields(
  place: SpecPlace,
  value: unknown,
  user: TableModel | undefined,
): readonly string[] | null {
  if (value === undefined) return null;
  const own = inside(place, "auth.signUpFields");
  const names = readTexts(own, value) ?? [];
  for (const name of names) {
    const field = Object.hasOwn(user?.fields ?? {}, name) ? user?.fields[name] : undefined;
    if (field === undefined || name === "id") {
      complain(own, `name "${name.slice(0, 64)}", which is no field of user`, fix);
    } else if (
      name === "role" ||
      name === "email" ||
      field.private === true ||
      field.claim === true
    ) {
      complain(own, `name "${name}", which nobody may choose for themselves`, fix);
    }
  }
  return names;
}

function readPassword(place: SpecPlace, value: unknown): AuthModel["password"] {
  const own = inside(place, "auth.password");
  if (value === undefined || value === true) return defaultAuth.password;
  if (value === false) return null;
  const { min = defaultAuth.password?.min } = readObject(own, value, ["min"], fix) ?? {};
  const { least, most } = passwordMin;
  if (typeof min === "number" && Number.isInteger(min) && min >= least && min <= most)
    return { min };
  complain(own, `has a min that is no whole number from ${least} to ${most}`, fix);
  return null;
}

function readNames(place: SpecPlace, key: string, value: unknown): readonly string[] {
  if (value === undefined) return [];
  const own = inside(place, `auth.${key}`);
  const names = readTexts(own, value) ?? [];
  for (const name of names) {
    if (name !== "" && name.length <= roleChars) continue;
    complain(own, `holds a name that is not 1 to ${roleChars} characters long`, fix);
  }
  return names;
}

function readOrganisations(place: SpecPlace, value: unknown): AuthModel["organisations"] {
  if (value === undefined || value === false) return null;
  if (value === true) return { roles: defaultOrgRoles };
  const own = inside(place, "auth.organisations");
  const { roles } = readObject(own, value, ["roles"], fix) ?? {};
  if (roles === undefined) return { roles: defaultOrgRoles };
  const names = readNames(place, "organisations.roles", roles);
  if (names.length === 0) complain(own, "has no roles", fix);
  return { roles: names };
}

function readRedirects(place: SpecPlace, value: unknown): readonly string[] {
  if (value === undefined) return [];
  const own = inside(place, "auth.redirects");
  return (readTexts(own, value) ?? []).map((text) => {
    const isAddress = URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
    const url = isAddress ? new URL(text) : null;
    if (url === null || url.search !== "" || url.hash !== "" || url.username !== "") {
      complain(
        own,
        `holds ${JSON.stringify(text.slice(0, 100))}, which is no plain https address`,
        fix,
      );
      return text;
    }
    return url.href.endsWith("/") ? url.href : `${url.href}/`;
  });
}

/** Names only: an address, or a name without a dot, is a private place as it stands. */
function readInternalHosts(place: SpecPlace, value: unknown): readonly string[] {
  if (value === undefined) return [];
  const own = inside(place, "auth.internalHosts");
  return (readTexts(own, value) ?? []).map((text) => {
    const name = text.toLowerCase();
    const url = URL.canParse(`https://${name}`) ? new URL(`https://${name}`) : null;
    if (url?.host !== name || !hostPattern.test(name)) {
      const shown = JSON.stringify(text.slice(0, 100));
      complain(own, `holds ${shown}, which is no name of a host like id.corp.example`, fix);
    }
    return name;
  });
}

function readSchemes(place: SpecPlace, value: unknown): readonly string[] {
  if (value === undefined) return [];
  const own = inside(place, "auth.schemes");
  return (readTexts(own, value) ?? []).map((text) => {
    if (
      !/^[A-Za-z][A-Za-z0-9-]{0,31}$/.test(text) ||
      /^(?:bearer|basic|digest|negotiate)$/i.test(text)
    ) {
      complain(
        own,
        `holds ${JSON.stringify(text.slice(0, 40))}, which can't be a scheme of the app`,
        fix,
      );
    }
    return text.toLowerCase();
  });
}

function readUrl(place: SpecPlace, value: unknown): string | null {
  if (value === undefined) return null;
  if (typeof value === "string" && /^https?:/.test(value) && URL.canParse(value)) {
    const { origin, href } = new URL(value);
    if (href === `${origin}/`) return origin;
  }
  complain(
    inside(place, "auth.url"),
    "is no address without a path, like https://tickets.example.com",
    fix,
  );
  return null;
}

function readName(place: SpecPlace, value: unknown): string {
  if (value === undefined) return defaultAuth.name;
  if (typeof value === "string" && value !== "" && value.length <= 100 && !/\p{Cc}/u.test(value))
    return value;
  complain(inside(place, "auth.name"), "is no text of 1 to 100 characters on one line", fix);
  return defaultAuth.name;
}
