// Functions of the specification: names, kinds, rights, limits, hosts and routes.
import type { Limits } from "../base/limits.ts";
import { nameProblem } from "./field-name.ts";
import { readField, readFields, type FieldWorld } from "./manifest-field.ts";
import type { AllowSpec, FunctionModel, LimitSpec, SourcePlace } from "./manifest.ts";
import {
  complain,
  fixByDefine,
  inside,
  readObject,
  readTexts,
  type SpecMistakes,
  type SpecPlace,
} from "./manifest-mistakes.ts";

const functionKeys: readonly string[] = [
  "kind",
  "args",
  "returns",
  "allow",
  "limit",
  "hosts",
  "secrets",
  "route",
];
const methods: readonly string[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const quota = /^[1-9]\d{0,8}\/(?:second|minute|hour|day)$/;
const host =
  /^(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?::\d{1,5})?$/;
const variable = /^[A-Z][A-Z0-9_]{0,99}$/;
const bareHost = /^\[[0-9a-f:.]{2,45}\](?::\d{1,5})?$/;
/** Addresses that the server itself answers (DESIGN section 6). */
const taken: readonly RegExp[] = [
  /^\/api\/(?:fn|tables|batch|openapi\.json|live)(?:\/|$)/,
  /^\/(?:auth|\.well-known|files|hooks|graphql|mcp|healthz|readyz|metrics|_)(?:\/|$)/,
];
/** What clients call on tables: `api.film.list()`. */
const tableCalls: readonly string[] = [
  "list",
  "page",
  "first",
  "get",
  "count",
  "aggregate",
  "create",
  "update",
  "delete",
  "live",
];

/** Everything that functions are read with. */
export interface FunctionWorld extends FieldWorld {
  readonly limits: Limits;
  readonly mistakes: SpecMistakes;
  readonly places: Readonly<Record<string, SourcePlace>>;
}

/** Checks all functions. What is wrong goes to the mistakes. */
export function readFunctions(
  value: unknown,
  world: FunctionWorld,
): Readonly<Record<string, FunctionModel>> {
  const place: SpecPlace = { mistakes: world.mistakes, at: undefined, what: "the app's functions" };
  const given = readObject(place, value, null) ?? {};
  const names = Object.keys(given);
  if (names.length > world.limits.appFunctionsMax) {
    complain(place, `are more than ${world.limits.appFunctionsMax}`, "Split the app.");
    return {};
  }
  const functions: Record<string, FunctionModel> = {};
  const routes = new Map<string, string>();
  for (const name of names) {
    const at = Object.hasOwn(world.places, name) ? world.places[name] : undefined;
    const own: SpecPlace = { ...place, at, what: `function ${name.slice(0, 130)}` };
    if (!checkName(own, name, world)) continue;
    const model = readFunction(own, name, given[name], world);
    if (model === null) continue;
    checkRouteTwin(own, model, routes);
    functions[name] = model;
  }
  return functions;
}

function checkName(place: SpecPlace, name: string, world: FunctionWorld): boolean {
  const [module = "", own = "", more] = name.split(".");
  if (more !== undefined || nameProblem(module) !== null || nameProblem(own) !== null) {
    complain(
      place,
      "has a name that is not module.name",
      "Use letters and digits, starting with a letter.",
    );
    return false;
  }
  if (world.tables.has(module) && tableCalls.includes(own)) {
    complain(
      place,
      `hides what clients call on the table ${module}`,
      "Rename the function or its module.",
    );
    return false;
  }
  return true;
}

function readFunction(
  place: SpecPlace,
  name: string,
  value: unknown,
  world: FunctionWorld,
): FunctionModel | null {
  const before = world.mistakes.found.length;
  const given = readObject(place, value, functionKeys);
  if (given === null) return null;
  const { kind, allow, limit, hosts, secrets, route } = given;
  if (kind !== "query" && kind !== "mutation" && kind !== "action" && kind !== "http") {
    return complain(place, "has an unknown kind", fixByDefine);
  }
  const args = readFields(place, given["args"], "args", world);
  const returns = readReturns(place, given["returns"], world);
  checkAllow(place, allow);
  if (limit !== undefined) readLimit(inside(place, `${place.what}: its limit`), limit);
  checkHosts(place, kind, hosts);
  checkSecrets(place, kind, secrets);
  checkRoute(place, kind, route);
  if (kind === "http" && args !== null && Object.keys(args).length > 0) {
    complain(
      place,
      "takes raw requests and declares args",
      "Read the request inside the function.",
    );
  }
  if (world.mistakes.found.length > before || args === null) return null;
  return {
    name,
    kind,
    args,
    ...(returns === undefined ? {} : { returns }),
    allow: allow as AllowSpec,
    ...(limit === undefined ? {} : { limit: limit as LimitSpec }),
    ...(hosts === undefined ? {} : { hosts: hosts as readonly string[] }),
    ...(secrets === undefined ? {} : { secrets: secrets as readonly string[] }),
    ...(route === undefined ? {} : { route: route as NonNullable<FunctionModel["route"]> }),
    ...(place.at === undefined ? {} : { at: place.at }),
  };
}

function readReturns(
  place: SpecPlace,
  value: unknown,
  world: FunctionWorld,
): FunctionModel["returns"] | undefined {
  if (value === undefined) return undefined;
  const own = inside(place, `${place.what}: its returns`);
  if (isNothing(value)) {
    readObject(own, value, ["kind"]);
    return { kind: "nothing" };
  }
  return readField(own, value, "returns", world) ?? undefined;
}

function isNothing(value: unknown): boolean {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "nothing";
}

function checkAllow(place: SpecPlace, allow: unknown): void {
  if (allow === "nobody" || allow === "anyone" || allow === "signed-in") return;
  const own = inside(place, `${place.what}: its allow`);
  if (typeof allow !== "object" || allow === null) {
    complain(own, "is unknown", 'Write "nobody", "anyone", "signed-in" or { role: ["staff"] }.');
    return;
  }
  const roles = readTexts(own, readObject(own, allow, ["role"])?.["role"]);
  if (roles !== null && (roles.length === 0 || roles.includes(""))) {
    complain(own, "names no role", 'Write { role: ["staff"] }, or "nobody".');
  }
}

/** Checks rate limits. Also used for tables. */
export function readLimit(place: SpecPlace, value: unknown): LimitSpec | null {
  const given = readObject(place, value, ["perUser", "perAddress", "total"]);
  if (given === null) return null;
  for (const [key, text] of Object.entries(given)) {
    if (typeof text === "string" && quota.test(text)) continue;
    complain(
      place,
      `has a ${key} that is no rate`,
      'Write a count and a period, like "10/minute".',
    );
  }
  return given;
}

function checkHosts(place: SpecPlace, kind: FunctionModel["kind"], value: unknown): void {
  if (value === undefined) return;
  const own = inside(place, `${place.what}: its hosts`);
  const hosts = readTexts(own, value);
  if (kind === "query" || kind === "mutation") {
    complain(
      own,
      `are declared, and a ${kind} reaches no host`,
      "Make it an action, or leave hosts out.",
    );
  }
  for (const name of hosts ?? []) {
    if (name.length <= 260 && (host.test(name) || bareHost.test(name))) continue;
    if (name.startsWith("$") && variable.test(name.slice(1))) continue;
    complain(
      own,
      `hold ${JSON.stringify(name.slice(0, 64))}, which is no host`,
      'Write "api.example.com" or "*.example.com", in lower case, without https://.',
    );
  }
}

function checkSecrets(place: SpecPlace, kind: FunctionModel["kind"], value: unknown): void {
  if (value === undefined) return;
  const own = inside(place, `${place.what}: its secrets`);
  const names = readTexts(own, value) ?? [];
  if (kind === "query" || kind === "mutation") {
    complain(own, `are declared, and a ${kind} has none`, "Make it an action, or leave them out.");
  }
  if (names.every((name) => variable.test(name))) return;
  complain(
    own,
    "hold what is no name of an environment variable",
    'Write secrets: ["STRIPE_SECRET_KEY"].',
  );
}

function checkRoute(place: SpecPlace, kind: FunctionModel["kind"], value: unknown): void {
  const own = inside(place, `${place.what}: its route`);
  if (value === undefined) {
    if (kind === "http")
      complain(own, "is missing", 'Write route: { method: "GET", path: "/hello" }.');
    return;
  }
  if (kind !== "http") {
    complain(own, `is declared, and a ${kind} is called by its name`, "Make it an http function.");
    return;
  }
  const route = readObject(own, value, ["method", "path"]);
  if (route === null) return;
  const { method, path } = route;
  if (typeof method !== "string" || !methods.includes(method)) {
    complain(own, "has an unknown method", `Use one of ${methods.join(", ")}.`);
  }
  const problem = typeof path === "string" ? pathProblem(path) : "is no text";
  if (problem !== null)
    complain(own, `has a path that ${problem}`, 'Write "/users/:id" or "/assets/*rest".');
}

function pathProblem(path: string): string | null {
  if (!path.startsWith("/") || path.length > 500) return "does not start with / or is too long";
  if (taken.some((pattern) => pattern.test(path))) return "the server itself answers";
  const parts = path.slice(1).split("/");
  const names: string[] = [];
  for (const [index, part] of parts.entries()) {
    if (part === "" && (parts.length === 1 || index === parts.length - 1)) continue;
    if (part.startsWith(":") || part.startsWith("*")) {
      const name = part.slice(1);
      if (nameProblem(name) !== null || names.includes(name))
        return `has a bad or repeated name in ${part}`;
      if (part.startsWith("*") && index !== parts.length - 1) return "goes on after its * part";
      names.push(name);
    } else if (!/^[A-Za-z0-9._~!$&'()+,;=@%-]+$/.test(part) || part === "." || part === "..") {
      return `has a part that no address has: ${JSON.stringify(part)}`;
    }
  }
  return null;
}

/** Two functions may not answer the same addresses. */
function checkRouteTwin(place: SpecPlace, model: FunctionModel, routes: Map<string, string>): void {
  if (model.route === undefined) return;
  const { method, path } = model.route;
  const key = `${method} ${path.replace(/:[^/]+/g, ":").replace(/\*.*$/, "*")}`;
  const twin = routes.get(key);
  if (twin !== undefined) {
    complain(
      place,
      `is mounted at ${method} ${path}, where ${twin} is already`,
      "Change one of the paths.",
    );
  }
  routes.set(key, model.name);
}
