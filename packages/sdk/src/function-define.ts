// Makes function descriptors out of what users write, and finds the mistakes in them.
import { DefinitionError } from "./definition-error.ts";
import { placeOf, type AnyField } from "./field.ts";
import { functionMark, type FunctionDescriptor, type FunctionKind } from "./function.ts";
import { checkCase, checkName } from "./name-check.ts";
import { checkLimit } from "./rate-limit-text.ts";
import { platformTables } from "./platform-tables.ts";
import { checkRoute } from "./route.ts";
import type { AllowSpec, FieldSpec, FunctionSpec } from "./spec.ts";
import { checkField, type Nothing } from "./t.ts";

/** A definition before it is checked. */
export interface LooseDefinition {
  readonly args?: Readonly<Record<string, AnyField>>;
  readonly allow?: AllowSpec;
  readonly returns?: AnyField | Nothing;
  readonly limit?: FunctionSpec["limit"];
  readonly hosts?: readonly string[];
  readonly secrets?: readonly string[];
  readonly method?: string;
  readonly path?: string;
  readonly run: FunctionDescriptor["run"];
}

const sharedKeys = ["allow", "limit", "run"];
const keysOf: Readonly<Record<FunctionKind, ReadonlySet<string>>> = {
  query: new Set([...sharedKeys, "args", "returns"]),
  mutation: new Set([...sharedKeys, "args", "returns"]),
  action: new Set([...sharedKeys, "args", "returns", "hosts", "secrets"]),
  http: new Set([...sharedKeys, "method", "path", "hosts", "secrets"]),
};
const variablePattern = /^[A-Z][A-Z0-9_]{0,99}$/;
const hostPattern =
  /^(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]*[a-z0-9])?(:\d{1,5})?$/;

/**
 * @param tables names of the app's tables, for `t.id` in arguments and results.
 * @param at the function that the user called. @throws DefinitionError.
 */
export function defineFunction(
  kind: FunctionKind,
  definition: LooseDefinition,
  tables: ReadonlySet<string>,
  at: Function,
): FunctionDescriptor {
  for (const key of Object.keys(definition)) {
    if (keysOf[kind].has(key)) continue;
    throw new DefinitionError(
      `A ${kind} takes no "${key}".`,
      `It takes ${[...keysOf[kind]].join(", ")}.`,
      at,
    );
  }
  if (typeof definition.run !== "function") {
    throw new DefinitionError(
      `The ${kind} has no \`run\`.`,
      "Write async run(ctx, args) { ... }.",
      at,
    );
  }
  const { returns, limit, hosts, secrets } = definition;
  const spec: FunctionSpec = {
    kind,
    args: readArgs(definition.args ?? {}, tables, at),
    ...(returns !== undefined && { returns: readReturns(returns, tables, at) }),
    allow: readAllow(definition.allow ?? "nobody", at),
    ...(limit !== undefined && { limit: checkLimit(limit, at) }),
    ...(hosts !== undefined && { hosts: readHosts(hosts, at) }),
    ...(secrets !== undefined && { secrets: readSecrets(secrets, at) }),
    ...(kind === "http" && { route: checkRoute(definition.method, definition.path, at) }),
  };
  return { kind, spec: Object.freeze(spec), run: definition.run, [functionMark]: true };
}

/** The fields of arguments or payloads. @throws DefinitionError. */
export function readArgs(
  args: Readonly<Record<string, AnyField>>,
  tables: ReadonlySet<string>,
  at: Function,
): Readonly<Record<string, FieldSpec>> {
  const specs: Record<string, FieldSpec> = {};
  for (const [name, field] of Object.entries(args)) {
    checkName("argument", name, at);
    checkField(`The argument "${name}"`, field, at);
    checkPlain(`The argument "${name}"`, field, at);
    checkTargets(field, tables);
    specs[name] = field.spec;
  }
  checkCase("argument", Object.keys(specs), at);
  return Object.freeze(specs);
}

function readReturns(
  returns: AnyField | Nothing,
  tables: ReadonlySet<string>,
  at: Function,
): FieldSpec | Nothing {
  if ("kind" in returns) return returns;
  checkField("`returns`", returns, at);
  checkPlain("`returns`", returns, at);
  if (returns.spec.default !== undefined) {
    throw new DefinitionError("`returns` has a default.", "Give the value back from `run`.", at);
  }
  checkTargets(returns, tables);
  return returns.spec;
}

function checkPlain(what: string, field: AnyField, at: Function): void {
  if (field.spec.kind === "ref") {
    throw new DefinitionError(
      `${what} is a reference, which only tables have.`,
      `Use t.id("${field.spec.table}").`,
      at,
    );
  }
  for (const flag of ["private", "immutable", "unique", "claim"] as const) {
    if (field.spec[flag])
      throw new DefinitionError(
        `${what} is ${flag}, which only fields of tables can be.`,
        "Leave it out.",
        at,
      );
  }
}

/** @throws DefinitionError at the field when an id or reference in it names a table that is not there. */
export function checkTargets(field: AnyField, tables: ReadonlySet<string>): void {
  const target = missingTarget(field.spec, tables);
  if (target === null) return;
  throw new DefinitionError(
    `There is no table "${target}".`,
    `The tables are ${[...tables].join(", ")}.`,
    placeOf(field),
  );
}

function missingTarget(spec: FieldSpec, tables: ReadonlySet<string>): string | null {
  if (spec.kind === "id" && Object.hasOwn(platformTables, spec.table)) return null;
  if (spec.kind === "id" || spec.kind === "ref") return tables.has(spec.table) ? null : spec.table;
  if (spec.kind === "list") return missingTarget(spec.item, tables);
  if (spec.kind !== "object") return null;
  for (const part of Object.values(spec.fields)) {
    const target = missingTarget(part, tables);
    if (target !== null) return target;
  }
  return null;
}

function readAllow(allow: AllowSpec, at: Function): AllowSpec {
  if (allow === "nobody" || allow === "anyone" || allow === "signed-in") return allow;
  const roles = (allow as { role?: unknown }).role;
  if (
    Array.isArray(roles) &&
    roles.length > 0 &&
    roles.every((role) => typeof role === "string" && role !== "")
  ) {
    return Object.freeze({ role: Object.freeze([...new Set(roles as string[])]) });
  }
  throw new DefinitionError(
    `\`allow\` is ${JSON.stringify(allow)}.`,
    'Use "nobody", "anyone", "signed-in" or { role: ["staff"] }.',
    at,
  );
}

function readHosts(hosts: readonly string[], at: Function): readonly string[] {
  for (const host of hosts) {
    if (typeof host === "string" && hostPattern.test(host)) continue;
    if (typeof host === "string" && host[0] === "$" && variablePattern.test(host.slice(1)))
      continue;
    throw new DefinitionError(
      `${JSON.stringify(host)} is no host.`,
      'Write only its name, in small letters: "api.example.com", or "*.example.com" for all below it.',
      at,
    );
  }
  return Object.freeze([...hosts]);
}

function readSecrets(secrets: readonly string[], at: Function): readonly string[] {
  for (const name of secrets) {
    if (typeof name === "string" && variablePattern.test(name)) continue;
    throw new DefinitionError(
      `${JSON.stringify(name)} can't be the name of an environment variable.`,
      'Write secrets: ["STRIPE_SECRET_KEY"]; the secret itself never stands in code.',
      at,
    );
  }
  return Object.freeze([...secrets]);
}
