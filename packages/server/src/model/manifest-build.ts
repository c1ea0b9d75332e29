// Makes the manifest (law 1): the specification that the app's modules left behind, joined with the rules
// that were read from its source. The specification comes out of an isolate and is trusted in nothing.
// Invariant: what a manifest says is complete and holds together; nobody behind it checks an app again.
import { createHash } from "node:crypto";
import { limits as defaultLimits, type Limits } from "../base/limits.ts";
import { AppInvalid, type AppMistake } from "./app-mistake.ts";
import { readAuth } from "./manifest-auth.ts";
import { readFunctions } from "./manifest-function.ts";
import { canonicalJson, deepFreeze } from "./manifest-json.ts";
import { readWork } from "./manifest-work.ts";
import type { FunctionModel, Manifest, SourcePlace, TableModel } from "./manifest.ts";
import { platformTables } from "./platform-tables.ts";
import {
  complain,
  readObject,
  readTexts,
  SpecMistakes,
  type SpecPlace,
} from "./manifest-mistakes.ts";
import { checkIndexFilters, checkTableNames, readTable, type TableRead } from "./manifest-table.ts";

/** What was read from the app's source. */
export interface RulesRead {
  readonly tables: Readonly<Record<string, TableRead>>;
  /** Where each function and each piece of work stands, by `module.name`. */
  readonly functions: Readonly<Record<string, SourcePlace>>;
  /** Where the app is put together, and where it says how people sign in. */
  readonly app?: { readonly at: SourcePlace; readonly auth: SourcePlace } | null;
  readonly mistakes: readonly AppMistake[];
}

/** What else building can use. */
export interface BuildOptions {
  /** The text of a file of the app, for the lines around a mistake. Default: none are shown. */
  readonly source?: (file: string) => string | null;
  /** Default: those of base/limits.ts. */
  readonly limits?: Limits;
}

const appKeys: readonly string[] = [
  "version",
  "tables",
  "functions",
  "invariants",
  "cors",
  "auth",
  "tableLimits",
  "work",
];

/**
 * Builds the manifest of an app.
 * @param spec untrusted: what the isolate gave. @param bundleHash SHA-256 of the bundle, hex.
 * @returns deeply frozen, of plain JSON only.
 * @throws AppInvalid with every mistake found, those of `read` first.
 */
export function buildManifest(
  spec: unknown,
  read: RulesRead,
  bundleHash: string,
  { source = () => null, limits = defaultLimits }: BuildOptions = {},
): Manifest {
  const mistakes = new SpecMistakes(source, read.app?.at);
  mistakes.found.push(...read.mistakes);
  const place: SpecPlace = { mistakes, at: read.app?.at, what: "the app" };
  const given = readObject(place, plainJson(spec), appKeys) ?? {};
  if (given["version"] !== 1) {
    complain(place, "was made by another version of keelson", "Install one version of keelson.");
    throw new AppInvalid(mistakes.found);
  }
  const tables = readTables(given, { read, limits, mistakes });
  const platform = readPlatform(tables, read, mistakes);
  const names = new Set([...Object.keys(given["tables"] ?? {}), ...Object.keys(platformTables)]);
  const functions = readFunctions(given["functions"], {
    limits,
    mistakes,
    tables: names,
    places: read.functions,
  });
  checkRulesHaveTables(place, read, names);
  const work = readWork(given["work"], {
    limits,
    mistakes,
    tables: names,
    functions,
    places: read.functions,
  });
  const invariants = readInvariants(place, given["invariants"], functions);
  const cors = readCors(place, given["cors"]);
  const auth = readAuth({ ...place, at: read.app?.auth }, given["auth"], tables["user"]);
  if (mistakes.found.length > 0) throw new AppInvalid(mistakes.found);
  const body = {
    version: 1 as const,
    tables: { ...tables, ...platform.ruled },
    ...(isEmpty(platform.others) ? {} : { platform: platform.others }),
    functions,
    invariants,
    cors,
    auth,
    ...(work === undefined ? {} : { work }),
  };
  const hash = createHash("sha256")
    .update(canonicalJson({ ...body, bundleHash }))
    .digest("hex");
  // Once through JSON: no object of the isolate, of the parser or of anybody else is shared.
  return deepFreeze(plainJson({ ...body, hash }) as Manifest);
}

function readTables(
  given: Readonly<Record<string, unknown>>,
  {
    read,
    limits,
    mistakes,
  }: { readonly read: RulesRead; readonly limits: Limits; readonly mistakes: SpecMistakes },
): Readonly<Record<string, TableModel>> {
  const place: SpecPlace = { mistakes, at: undefined, what: "the app's tables" };
  const specs = readObject(place, given["tables"], null) ?? {};
  const names = Object.keys(specs);
  checkTableNames(names, place, limits);
  const limitPlace = { ...place, what: "the app's tableLimits" };
  const tableLimits = readObject(limitPlace, given["tableLimits"], names) ?? {};
  const known = new Set([...names, ...Object.keys(platformTables)]);
  const world = { limits, mistakes, tables: known, rules: read.tables, tableLimits };
  const tables: Record<string, TableModel> = {};
  for (const name of names) {
    const model = readTable(name, specs[name], world);
    if (model === null) continue;
    checkIndexFilters(model, world);
    tables[name] = model;
  }
  return tables;
}

/** The platform's tables: those that the app's rules name, with these rules, and the others. */
function readPlatform(
  own: Readonly<Record<string, TableModel>>,
  read: RulesRead,
  mistakes: SpecMistakes,
): {
  readonly ruled: Readonly<Record<string, TableModel>>;
  readonly others: Readonly<Record<string, TableModel>>;
} {
  const ruled: Record<string, TableModel> = {};
  const others: Record<string, TableModel> = {};
  for (const [name, model] of Object.entries(platformTables)) {
    if (Object.hasOwn(own, name)) {
      const place: SpecPlace = { mistakes, at: own[name]?.at, what: `table ${name}` };
      complain(place, "has the name of a table of the platform", "Give it another name.");
    }
    const rules = Object.hasOwn(read.tables, name) ? read.tables[name]?.rules : undefined;
    if (rules === undefined) others[name] = model;
    else ruled[name] = { ...model, rules };
  }
  return { ruled, others };
}

function isEmpty(record: object): boolean {
  return Object.keys(record).length === 0;
}

function checkRulesHaveTables(place: SpecPlace, read: RulesRead, names: ReadonlySet<string>): void {
  for (const [name, table] of Object.entries(read.tables)) {
    if (names.has(name)) continue;
    const own = { ...place, at: table.at, what: `the rules for ${name}` };
    complain(
      own,
      "are for a table that does not exist",
      "Declare the table in `define`, or mend the name.",
    );
  }
}

function readInvariants(
  place: SpecPlace,
  value: unknown,
  functions: Readonly<Record<string, FunctionModel>>,
): readonly string[] {
  const names = readTexts({ ...place, what: "the app's invariants" }, value) ?? [];
  for (const name of names) {
    const model = Object.hasOwn(functions, name) ? functions[name] : undefined;
    const own = { ...place, at: model?.at, what: `the invariant ${name.slice(0, 130)}` };
    if (model?.kind !== "query" || Object.values(model.args).some((arg) => arg.optional !== true)) {
      complain(
        own,
        "is no query without arguments",
        "Name a query that takes none and returns true or false.",
      );
    }
  }
  return names;
}

function readCors(place: SpecPlace, value: unknown): readonly string[] {
  const own = { ...place, what: "the app's cors" };
  const origins = readTexts(own, value) ?? [];
  for (const origin of origins) {
    if (origin === "*" ? origins.length === 1 : isOrigin(origin)) continue;
    complain(
      own,
      `holds ${JSON.stringify(origin.slice(0, 100))}, which is no origin`,
      'Write "https://example.com", without a path.',
    );
  }
  return origins;
}

function isOrigin(text: string): boolean {
  return /^https?:\/\//.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

/** A copy that is JSON and nothing else. */
function plainJson(value: unknown): unknown {
  const text = JSON.stringify(value);
  return text === undefined ? null : (JSON.parse(text) as unknown);
}
