// Arguments for functions, made from their definitions and from what is known: ids of rows of both worlds in
// every state, texts that rows or earlier answers hold under the same name, texts that patterns in the app's
// source describe, the bounds of every number.
import type { Json } from "../../base/json.ts";
import type { FieldSpec } from "../../model/manifest.ts";
import type { Row } from "../../store/store.ts";
import type { Identity } from "./identity-plan.ts";
import { seedValue } from "./seed-value.ts";
import type { AttackSession } from "./session.ts";

/** Whose rows the arguments name. */
export type ArgsSide = "own" | "other";

/** Values by the name that they stood under. */
export class Harvest {
  readonly #values = new Map<string, Set<string | number>>();
  readonly #patterns: readonly string[];

  /** @param sources the app's files: regular expressions in them describe texts that functions take. */
  constructor(sources: ReadonlyMap<string, string>) {
    const patterns = new Set<string>();
    for (const text of sources.values()) {
      for (const [, pattern] of text.matchAll(/\/\^((?:[^/\\\n]|\\.){2,80})\$\/[a-z]*/g)) {
        if (pattern !== undefined) patterns.add(pattern);
      }
    }
    this.#patterns = [...patterns];
  }

  /** Remembers what an answer holds. */
  take(text: string): void {
    let value: Json;
    try {
      value = JSON.parse(text) as Json;
    } catch {
      return;
    }
    this.#walk("", value, 0);
  }

  of(name: string): readonly (string | number)[] {
    return [...(this.#values.get(name.toLowerCase()) ?? [])];
  }

  get patterns(): readonly string[] {
    return this.#patterns;
  }

  #walk(name: string, value: Json, depth: number): void {
    if (value === null || depth > 6) return;
    if (Array.isArray(value)) {
      for (const item of value.slice(0, 40)) this.#walk(name, item as Json, depth + 1);
    } else if (typeof value === "object") {
      for (const [key, item] of Object.entries(value)) this.#walk(key, item, depth + 1);
    } else if (typeof value !== "boolean") {
      const known = this.#values.get(name.toLowerCase()) ?? new Set();
      if (known.size < 60) known.add(value);
      this.#values.set(name.toLowerCase(), known);
    }
  }
}

/** Makes one set of arguments. @param turn which of the possible values: goes round. */
export function makeArgs(
  session: AttackSession,
  by: Identity,
  fields: Readonly<Record<string, FieldSpec>>,
  how: { readonly side: ArgsSide; readonly turn: number; readonly harvest: Harvest },
): Record<string, Json> {
  const args: Record<string, Json> = {};
  let index = 0;
  for (const [name, spec] of Object.entries(fields)) {
    if (spec.optional === true && how.turn % 3 === 2) continue;
    args[name] = argument(session, by, { ...how, name, spec, index });
    index += 1;
  }
  return args;
}

interface Wanted {
  readonly name: string;
  readonly spec: FieldSpec;
  /** Which argument it is: two ids of one table must not always be the same. */
  readonly index: number;
  readonly side: ArgsSide;
  readonly turn: number;
  readonly harvest: Harvest;
}

function argument(session: AttackSession, by: Identity, wanted: Wanted): Json {
  const { name, spec, turn, index } = wanted;
  switch (spec.kind) {
    case "id":
    case "ref":
      return idOf(session, by, spec.table, wanted);
    case "text":
      return textOf(session, by, { ...wanted, spec });
    case "int":
    case "money":
    case "number": {
      const min =
        spec.min ?? (spec.kind === "int" || spec.kind === "money" ? -9_007_199_254_740_991 : -1e12);
      const max =
        spec.max ?? (spec.kind === "int" || spec.kind === "money" ? 9_007_199_254_740_991 : 1e12);
      const known = valuesNamed(session, by, name, wanted.side).filter(
        (value) => typeof value === "number",
      );
      const values = [
        1,
        5,
        Math.max(min, Math.min(max, 0)),
        ...known.slice(0, 2),
        -1,
        min,
        max,
        1_000_000,
      ].filter((value) => value >= min && value <= max);
      return values[turn % values.length] ?? min;
    }
    case "bool":
      return (turn + index) % 2 === 0;
    case "oneOf":
      return spec.values[turn % spec.values.length] ?? null;
    case "time": {
      const days = [1, -1, 7, 400][turn % 4] ?? 1;
      // oxlint-disable-next-line no-restricted-globals -- arithmetic on the target's clock
      return new Date(session.target.nowMs() + days * 86_400_000).toISOString();
    }
    case "list": {
      const count = Math.min(spec.max, Math.max(spec.min, [1, 2, 0][turn % 3] ?? 1));
      return Array.from({ length: count }, (_, at) =>
        argument(session, by, { ...wanted, spec: spec.item, turn: turn + at }),
      );
    }
    case "object":
      return makeArgs(session, by, spec.fields, wanted);
    case "date":
    case "json":
    case "bytes":
      return seedValue(spec, {
        random: session.random,
        canaries: session.canaries,
        nowMs: session.target.nowMs(),
        variant: turn,
        reference: () => null,
      });
    default:
      return spec satisfies never;
  }
}

function rowsFor(
  session: AttackSession,
  by: Identity,
  table: string,
  side: ArgsSide,
): readonly Row[] {
  const mine = by.cohort ?? "s";
  const own = session.planted.rowsOf(table, mine);
  const other = session.planted.rowsOf(table, mine === "a" ? "b" : "a");
  const rows = side === "own" && own.length > 0 ? own : other;
  const live = session.world.live(table, rows);
  return live.length > 0 ? live : session.world.rows(table).slice(0, 8);
}

function idOf(
  session: AttackSession,
  by: Identity,
  table: string,
  { side, turn, index }: Wanted,
): Json {
  if (table === "user") {
    if (side === "own" && index === 0 && by.user !== null) return by.user;
    const other = session.people.find(
      ({ user, kind }) => kind === "owner" && user !== by.user,
    )?.user;
    return (turn % 2 === 1 && index > 0 ? by.user : null) ?? other ?? null;
  }
  // The second id of a call comes from the other side: from mine to yours, from yours to mine.
  const flip = index > 0 && turn % 2 === 1;
  const rows = rowsFor(session, by, table, flip === (side === "own") ? "other" : "own");
  return String(rows[(turn >> (flip ? 1 : 0)) % Math.max(1, rows.length)]?.["id"] ?? "") || null;
}

function textOf(
  session: AttackSession,
  by: Identity,
  wanted: Wanted & { readonly spec: FieldSpec & { readonly kind: "text" } },
): Json {
  const { name, spec, turn, harvest, side } = wanted;
  const fits = (value: Json): value is string =>
    typeof value === "string" && value.length <= spec.max && value.length >= spec.min;
  const known = [...valuesNamed(session, by, name, side), ...harvest.of(name)].filter(fits);
  const parts = {
    random: session.random,
    canaries: session.canaries,
    nowMs: session.target.nowMs(),
    variant: turn,
    reference: () => null,
  };
  const described = harvest.patterns
    .map((pattern) => seedValue({ ...spec, pattern }, parts, true))
    .filter(fits);
  const free = seedValue(spec, parts, true);
  const values: Json[] = [
    ...known.slice(0, 6),
    ...(spec.format === undefined && spec.pattern === undefined && spec.max <= 80 ? described : []),
    free,
  ];
  return values[turn % values.length] ?? free;
}

/** What fields of this name hold, of the wanted side first. */
function valuesNamed(
  session: AttackSession,
  by: Identity,
  name: string,
  side: ArgsSide,
): readonly (string | number)[] {
  const values = new Set<string | number>();
  const wanted = name.toLowerCase();
  for (const [table, { fields }] of Object.entries(session.judge.manifest.tables)) {
    for (const field of Object.keys(fields)) {
      const own = field.toLowerCase();
      if (own !== wanted && `${table}${field}`.toLowerCase() !== wanted) continue;
      for (const row of rowsFor(session, by, table, side).slice(0, 4)) {
        const value = row[field];
        if (typeof value === "string" || typeof value === "number") values.add(value);
      }
    }
  }
  return [...values];
}

/** Arguments that no definition takes: each must be refused, none may bring the function down. */
export function hostileBodies(good: Readonly<Record<string, Json>>): readonly string[] {
  const text = JSON.stringify(good);
  const [first] = Object.keys(good);
  const bodies = [
    "null",
    "[]",
    '"text"',
    "{",
    `{"__proto__":{"isAdmin":true}}`,
    `{"constructor":{"prototype":{"isAdmin":true}}}`,
    `${text.slice(0, -1)}${text === "{}" ? "" : ","}"unknownArgument":1}`,
    `${'{"a":'.repeat(60)}1${"}".repeat(60)}`,
    `{"a":"${"x".repeat(2_000)}"}`,
  ];
  if (first !== undefined) {
    for (const wrong of [
      "null",
      "{}",
      "[]",
      "true",
      "-1e309",
      `"\\u0000"`,
      `"\\ud800"`,
      `"${"a".repeat(70_000)}"`,
      `{"toString":1}`,
      `["__proto__"]`,
    ]) {
      bodies.push(`{${JSON.stringify(first)}:${wrong}}`);
      const others = Object.entries(good).filter(([name]) => name !== first);
      if (others.length > 0) {
        bodies.push(
          `{${JSON.stringify(first)}:${wrong},${JSON.stringify(Object.fromEntries(others)).slice(1)}`,
        );
      }
    }
  }
  return bodies;
}
