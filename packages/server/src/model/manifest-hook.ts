// Webhooks of the specification: how each is signed, by secrets of which names, and what handles it.
import {
  complain,
  fixByDefine,
  inside,
  readObject,
  readTexts,
  type SpecPlace,
} from "./manifest-mistakes.ts";

const hookName = /^[a-z][a-z0-9\-]{0,62}$/v;
const variableName = /^[A-Z][A-Z0-9_]{0,99}$/v;
const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/;
const place = /^[\w\-]{1,64}(?:\.[\w\-]{1,64}){0,9}$/v;
const hostName = /^(?:[\w.\-]+|\[[\da-f:]+\])(?::\d{1,5})?$/v;
const kinds: Readonly<Record<string, readonly string[]>> = {
  stripe: ["kind"],
  github: ["kind"],
  standard: ["kind"],
  plaid: ["kind"],
  hmac: ["kind", "header", "algorithm", "encoding", "prefix", "timeHeader", "idHeader"],
};

/** Reads the function and policy that a piece of work has, and lets these other keys be. */
type ReadPolicy = (
  place: SpecPlace,
  value: unknown,
  more: readonly string[],
) => Readonly<Record<string, unknown>> | null;

/** Checks `hooks` and `webhookHosts` of the app's work. What is wrong goes to the mistakes. */
export function readHooks(
  work: SpecPlace,
  given: Readonly<Record<string, unknown>>,
  readPolicy: ReadPolicy,
): void {
  const { hooks, webhookHosts } = given;
  if (hooks !== undefined) {
    const named = readObject(inside(work, `${work.what}: its hooks`), hooks, null) ?? {};
    for (const [name, one] of Object.entries(named)) {
      readHook(inside(work, `the hook ${name.slice(0, 100)}`), name, one, readPolicy);
    }
  }
  if (webhookHosts === undefined) return;
  const own = inside(work, "the app's webhookHosts");
  for (const host of readTexts(own, webhookHosts) ?? []) {
    if (hostName.test(host)) continue;
    complain(
      own,
      `hold ${JSON.stringify(host.slice(0, 100))}, which is no host`,
      'Write "localhost:9000".',
    );
  }
}

function readHook(own: SpecPlace, name: string, value: unknown, readPolicy: ReadPolicy): void {
  if (!hookName.test(name)) {
    complain(
      own,
      "has a name that no address has",
      "Use small letters, digits and hyphens: stripe.",
    );
  }
  const given = readPolicy(own, value, ["scheme", "secrets", "form", "order", "logMs"]);
  if (given === null) return;
  readScheme(own, given["scheme"]);
  const secrets = readTexts(own, given["secrets"]) ?? [];
  if (secrets.length === 0 || !secrets.every((secret) => variableName.test(secret))) {
    complain(
      own,
      "names no environment variable with its secret",
      'Write secrets: ["STRIPE_WEBHOOK_SECRET"]; the secret itself never stands in code.',
    );
  }
  const { order, logMs, form } = given;
  if (form !== undefined && form !== "cloudevents") {
    complain(own, "has a form that is not known", 'Leave it out, or write form: "cloudevents".');
  }
  if (order !== undefined) {
    const { key, at } = readObject(own, order, ["key", "at"]) ?? {};
    const isGood = [key, at].every((one) => typeof one === "string" && place.test(one));
    if (!isGood)
      complain(
        own,
        "has an order that names no places",
        'Write { key: "data.object.id", at: "created" }.',
      );
  }
  if (
    !Number.isSafeInteger(logMs) ||
    (logMs as number) < 60_000 ||
    (logMs as number) > 315_360_000_000
  ) {
    complain(own, "is kept for no length of time", fixByDefine);
  }
}

function readScheme(own: SpecPlace, value: unknown): void {
  const kind = (value as { readonly kind?: unknown } | null | undefined)?.kind;
  const keys = typeof kind === "string" && Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  if (keys === undefined) {
    complain(own, "is signed in no known way", `Use one of ${Object.keys(kinds).join(", ")}.`);
    return;
  }
  const given = readObject(own, value, keys);
  if (given === null || kind !== "hmac") return;
  const { header, algorithm, encoding, prefix, timeHeader, idHeader } = given;
  const headers = [header, timeHeader, idHeader].filter((one) => one !== undefined);
  if (
    header === undefined ||
    !headers.every((one) => typeof one === "string" && headerName.test(one))
  ) {
    complain(own, "is signed in no header", 'Write { kind: "hmac", header: "X-Signature", ... }.');
  }
  if (algorithm !== "sha256" && algorithm !== "sha512") {
    complain(own, "is signed by no known algorithm", "Use sha256 or sha512.");
  }
  if (encoding !== "hex" && encoding !== "base64") {
    complain(own, "has a signature in no known encoding", "Use hex or base64.");
  }
  if (prefix !== undefined && (typeof prefix !== "string" || prefix.length > 50)) {
    complain(own, "has a prefix that is no short text", 'Write prefix: "sha256=".');
  }
}
