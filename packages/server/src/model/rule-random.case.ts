// Random rules and rows for the property tests of the rule language: a fixed schema with every kind of
// field and chains of references, rows that hold absent values, typed expressions that a person could
// have written (what is printed can be read again).
import * as fc from "fast-check";
import type { FieldSpec } from "@keelson/sdk/spec";
import type { Json } from "../base/json.ts";
import type { CompareOp, RuleExpr, RuleRoot, RuleValue } from "./rule-ast.ts";
import { compileRule, type RuleInput, type RuleRow, type Truth } from "./rule-evaluate.ts";

const text: FieldSpec = { kind: "text", min: 0, max: 100, optional: true };
const ref = (table: string): FieldSpec => ({
  kind: "ref",
  table,
  onDelete: "refuse",
  optional: true,
});
const list = (item: FieldSpec): FieldSpec => ({
  kind: "list",
  item,
  min: 0,
  max: 9,
  optional: true,
});
const number: FieldSpec = { kind: "number", optional: true };
const int: FieldSpec = { kind: "int", min: -(2 ** 53), max: 2 ** 53, optional: true };
const bool: FieldSpec = { kind: "bool", optional: true };
const time: FieldSpec = { kind: "time", optional: true };
const date: FieldSpec = { kind: "date", optional: true };

/** Field names are none of String's own properties: the JavaScript twin walks references through them. */
export const tables: Readonly<Record<string, { fields: Record<string, FieldSpec> }>> = {
  user: { fields: { name: text, level: int, admin: bool, boss: ref("user") } },
  film: {
    fields: { title: text, rating: number, owner: ref("user"), released: date, genres: list(text) },
  },
  screening: { fields: { film: ref("film"), startsAt: time, price: int, open: bool } },
  booking: {
    fields: {
      screening: ref("screening"),
      customer: ref("user"),
      seat: text,
      status: { kind: "oneOf", values: ["held", "paid", "staff"], optional: true },
      paid: bool,
      count: int,
      ratio: number,
      day: date,
      dueAt: time,
      tags: list(text),
      nums: list(number),
      flags: list(bool),
      friends: list({ kind: "id", table: "user" }),
    },
  },
};

/** The time of every request here. */
export const now = "2026-01-31T20:15:00.000Z";

const at = { file: "", start: 0, end: 0 };
const ids = { user: 4, film: 3, screening: 3, booking: 4 } as const;
const pools = {
  text: ["", "a", "A", "ab", "ba", "b%", "_", "it's", "é", "staff", "held", "paid", "x😀y", "😀"],
  /** In JavaScript's own order U+FFFF stands above U+1F600, in code points below. */
  textAstral: ["\uffff", "\ue000a", "\u{10ffff}", "a\u{40000}"],
  number: [0, 1, -1, 2, 3, 7, 10, -5, 0.5, -2.5, 0.1],
  numberHuge: [1e308, -1e308, 2 ** 53 - 1, -(2 ** 53 - 1), 5e-324, 1e21, 2262492465224309800],
  bool: [true, false],
  time: [now, "2026-01-31T20:14:59.999Z", "1999-12-31T00:00:00.000Z", "2030-06-01T12:00:00.000Z"],
  date: ["2026-01-31", "2026-02-01", "1999-12-31"],
};

type Kind =
  | "text"
  | "number"
  | "bool"
  | "time"
  | "date"
  | "user"
  | "film"
  | "screening"
  | "booking";
type Fragment = RuleValue & { kind: "path" };

export interface RandomOptions {
  /** Presence tests; `only` takes fields from `nullable` for them and no other operand from there. */
  readonly presence?: false | "any" | "only";
  readonly some?: boolean;
  readonly divisions?: boolean;
  /** Values on which JavaScript's own order or sums differ. */
  readonly extremes?: boolean;
}

/** Fields that are absent in data for `presence: "only"`. */
export const nullable = new Set(["seat", "count", "dueAt", "boss", "rating", "price"]);

/** A random rule of `booking`, speaking of `row`, `next`, `me`, `now` and other tables. */
export function randomRule(options: RandomOptions, depth = 3): fc.Arbitrary<RuleExpr> {
  const roots: Root[] = [
    { root: { kind: "row" }, table: "booking" },
    { root: { kind: "next" }, table: "booking" },
  ];
  return expr({ options, roots }, depth, null);
}

interface Root {
  readonly root: RuleRoot;
  readonly table: string;
}

interface Scope {
  readonly options: RandomOptions;
  readonly roots: readonly Root[];
}

function expr(
  scope: Scope,
  depth: number,
  inside: "and" | "or" | "if" | null,
): fc.Arbitrary<RuleExpr> {
  const simple = leaf(scope, depth);
  if (depth === 0) return simple;
  const choices: fc.WeightedArbitrary<RuleExpr>[] = [{ weight: 3, arbitrary: simple }];
  const inner = (of: "and" | "or" | "if" | null) => expr(scope, depth - 1, of);
  for (const kind of ["and", "or"] as const) {
    if (kind === inside) continue;
    const parts = fc.array(inner(kind), { minLength: 2, maxLength: 3 });
    choices.push({ weight: 2, arbitrary: parts.map((each) => ({ kind, parts: each, at })) });
  }
  choices.push({ weight: 2, arbitrary: inner(null).map((part) => ({ kind: "not", part, at })) });
  choices.push({
    weight: 1,
    arbitrary: fc
      .tuple(inner(null), inner("if"), inner("if"))
      .map(([when, yes, no]) => ({ kind: "if", when, yes, no, at })),
  });
  if (scope.options.some === true) choices.push({ weight: 1, arbitrary: someOf(scope, depth) });
  return fc.oneof(...choices);
}

function someOf(scope: Scope, depth: number): fc.Arbitrary<RuleExpr> {
  const alias = `x${scope.roots.length}`;
  return fc.constantFrom(...Object.keys(tables)).chain((table) => {
    const roots = [...scope.roots, { root: { kind: "item", alias }, table } as const];
    return expr({ ...scope, roots }, depth - 1, null).map((where): RuleExpr => ({
      kind: "some",
      table,
      alias,
      where,
      at,
    }));
  });
}

function leaf(scope: Scope, depth: number): fc.Arbitrary<RuleExpr> {
  const { presence = "any" } = scope.options;
  const choices: fc.WeightedArbitrary<RuleExpr>[] = [
    { weight: 1, arbitrary: fc.boolean().map((value) => ({ kind: "constant", value, at })) },
    {
      weight: 2,
      arbitrary: pathOf(scope, "bool").map((value): RuleExpr => ({ kind: "truth", value, at })),
    },
    { weight: 10, arbitrary: comparison(scope, depth) },
    { weight: 2, arbitrary: textTest(scope, depth) },
    { weight: 2, arbitrary: contains(scope, depth) },
    { weight: 2, arbitrary: among(scope, depth) },
  ];
  if (presence !== false) {
    const arbitrary = fc
      .tuple(fc.constantFrom(...presencePaths(scope)), fc.boolean())
      .map(([of, present]): RuleExpr => ({ kind: "presence", of, present, at }));
    choices.push({ weight: 4, arbitrary });
  }
  return fc.oneof(...choices);
}

const kinds: readonly Kind[] = [
  "text",
  "number",
  "bool",
  "time",
  "date",
  "user",
  "film",
  "screening",
];

function comparison(scope: Scope, depth: number): fc.Arbitrary<RuleExpr> {
  return fc.constantFrom<Kind>(...kinds, "text", "number", "user").chain((kind) => {
    const all: CompareOp[] = ["==", "!=", "<", "<=", ">", ">="];
    const ops = kind === "bool" ? all.slice(0, 2) : all;
    const sides = fc.tuple(valueOf(scope, kind, depth, false), valueOf(scope, kind, depth, true));
    return fc
      .tuple(fc.constantFrom(...ops), sides, fc.boolean())
      .map(([op, [a, b], swap]): RuleExpr => {
        const [left, right] = swap ? [b, a] : [a, b];
        return { kind: "compare", op, left, right, at };
      });
  });
}

function textTest(scope: Scope, depth: number): fc.Arbitrary<RuleExpr> {
  return fc
    .tuple(
      fc.constantFrom("startsWith" as const, "endsWith" as const, "includes" as const),
      pathOf(scope, "text", ["role", "name"]),
      valueOf(scope, "text", depth, true),
    )
    .filter(
      ([op, subject]) =>
        op !== "includes" || subject.root.kind !== "me" || subject.steps[0] === "role",
    )
    .map(([op, subject, value]): RuleExpr => ({ kind: "text", op, subject, value, at }));
}

function contains(scope: Scope, depth: number): fc.Arbitrary<RuleExpr> {
  const item = (field: string): Kind => {
    if (field === "nums") return "number";
    if (field === "flags") return "bool";
    return field === "friends" ? "user" : "text";
  };
  const lists = operands(scope, (field) => field.kind === "list");
  const claims = ["teams", "name"].map((claim): Fragment => ({
    kind: "path",
    root: { kind: "me" },
    steps: [claim],
    through: [],
    at,
  }));
  return fc.constantFrom(...lists, ...claims).chain((of) =>
    valueOf(scope, item(of.steps.at(-1) ?? ""), depth, true).map((value): RuleExpr => ({
      kind: "contains",
      list: of,
      value,
      at,
    })),
  );
}

function among(scope: Scope, depth: number): fc.Arbitrary<RuleExpr> {
  return fc
    .constantFrom<Kind>("text", "number", "user", "date")
    .chain((kind) =>
      fc
        .tuple(
          valueOf(scope, kind, depth, false),
          fc.array(valueOf(scope, kind, depth, true), { minLength: 1, maxLength: 3 }),
        )
        .map(([value, options]): RuleExpr => ({ kind: "among", value, options, at })),
    );
}

function valueOf(
  scope: Scope,
  kind: Kind,
  depth: number,
  literals: boolean,
): fc.Arbitrary<RuleValue> {
  const claims: Partial<Record<Kind, string[]>> = {
    text: ["role", "name"],
    number: ["level"],
    bool: ["admin"],
    user: ["id"],
    time: ["since"],
  };
  const choices: fc.WeightedArbitrary<RuleValue>[] = [
    { weight: 4, arbitrary: pathOf(scope, kind, claims[kind]) },
  ];
  if (kind === "time") choices.push({ weight: 2, arbitrary: fc.constant({ kind: "now", at }) });
  if (literals) {
    const pool = literalPool(kind, scope.options.extremes === true);
    const literal = fc
      .constantFrom(...pool)
      .map((value): RuleValue => ({ kind: "literal", value, at }));
    choices.push({ weight: 3, arbitrary: literal });
  }
  if (kind === "number" && depth > 0) {
    choices.push({ weight: 2, arbitrary: arithmetic(scope, depth) });
    const measured = operands(scope, ({ kind }) => kind === "text" || kind === "list");
    const length = fc
      .constantFrom(...measured)
      .map((of): RuleValue => ({ kind: "length", of, at }));
    choices.push({ weight: 1, arbitrary: length });
  }
  if (depth > 0 && kind !== "bool") {
    const branch = valueOf(scope, kind, 0, false);
    const arbitrary = fc
      .tuple(expr(scope, 0, null), branch, branch)
      .map(([when, yes, no]): RuleValue => ({ kind: "choose", when, yes, no, at }));
    choices.push({ weight: 1, arbitrary });
  }
  return fc.oneof(...choices);
}

function arithmetic(scope: Scope, depth: number): fc.Arbitrary<RuleValue> {
  const ops = ["+", "-", "*", ...(scope.options.divisions === true ? ["/", "%"] : [])] as const;
  return fc
    .tuple(
      fc.constantFrom(...(ops as readonly ("+" | "-" | "*" | "/" | "%")[])),
      valueOf(scope, "number", depth - 1, true),
      valueOf(scope, "number", depth - 1, true),
    )
    .map(([op, left, right]): RuleValue => ({ kind: "arithmetic", op, left, right, at }));
}

function literalPool(kind: Kind, extremes: boolean): readonly (string | number | boolean)[] {
  switch (kind) {
    case "text":
      return extremes ? [...pools.text, ...pools.textAstral] : pools.text;
    case "number":
      return extremes ? [...pools.number, ...pools.numberHuge] : pools.number;
    case "bool":
    case "time":
    case "date":
      return pools[kind];
    case "user":
    case "film":
    case "screening":
    case "booking":
      return [`${kind}_0`, `${kind}_1`];
    default:
      return kind satisfies never;
  }
}

function pathOf(scope: Scope, kind: Kind, claims: readonly string[] = []): fc.Arbitrary<Fragment> {
  const found = operands(scope, (field) => kindOf(field) === kind);
  const mine = claims.map((claim): Fragment => ({
    kind: "path",
    root: { kind: "me" },
    steps: [claim],
    through: [],
    at,
  }));
  return fc.constantFrom(...found, ...mine, ...mine);
}

/** Paths that may stand anywhere but in a presence test. */
function operands(scope: Scope, wanted: (field: FieldSpec) => boolean): readonly Fragment[] {
  return paths(scope, wanted).filter(
    ({ steps }) => scope.options.presence !== "only" || !steps.some((step) => nullable.has(step)),
  );
}

function presencePaths(scope: Scope): readonly Fragment[] {
  return paths(scope, () => true).filter(({ steps }) => {
    if (scope.options.presence !== "only") return true;
    return (
      nullable.has(steps.at(-1) ?? "") && !steps.slice(0, -1).some((step) => nullable.has(step))
    );
  });
}

function kindOf(field: FieldSpec): Kind | null {
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- the others are of no kind
  switch (field.kind) {
    case "text":
      return "text";
    case "oneOf":
      return null;
    case "int":
    case "number":
      return "number";
    case "bool":
    case "time":
    case "date":
      return field.kind;
    case "id":
    case "ref":
      return field.table as Kind;
    default:
      return null;
  }
}

/** Every path of up to three steps. */
function paths(scope: Scope, wanted: (field: FieldSpec) => boolean): readonly Fragment[] {
  const found: Fragment[] = [];
  const walk = (
    root: RuleRoot,
    table: string,
    steps: readonly string[],
    through: readonly string[],
  ): void => {
    const fields: Record<string, FieldSpec> = {
      id: { kind: "id", table },
      ...tables[table]?.fields,
    };
    for (const [name, field] of Object.entries(fields)) {
      if (wanted(field)) found.push({ kind: "path", root, steps: [...steps, name], through, at });
      if (field.kind === "ref" && steps.length < 2) {
        walk(root, field.table, [...steps, name], [...through, field.table]);
      }
    }
  };
  for (const { root, table } of scope.roots) walk(root, table, [], []);
  return found;
}

/** Rows of every table. */
export type Data = Readonly<Record<string, readonly RuleRow[]>>;

/** Random rows. `absent`: how often a field is absent, of 10. Dangling references only with absent ones. */
export function randomData(options: {
  absent: number;
  extremes?: boolean;
  nullableOnly?: boolean;
}): fc.Arbitrary<Data> {
  const { absent, extremes = false, nullableOnly = false } = options;
  const value = (field: FieldSpec): fc.Arbitrary<Json> => {
    // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- the others have a pool
    switch (field.kind) {
      case "oneOf":
        return fc.constantFrom(...field.values);
      case "list":
        return fc.array(value(field.item), { maxLength: 3 });
      case "int":
        return fc.constantFrom(...literalPool("number", extremes)).map((each) => {
          const whole = Math.trunc(each as number);
          return Number.isSafeInteger(whole) ? whole : 9;
        });
      case "id":
      case "ref": {
        const count = ids[field.table as keyof typeof ids];
        return fc
          .integer({ min: 0, max: absent > 0 && !nullableOnly ? count : count - 1 })
          .map((n) => `${field.table}_${n}`);
      }
      default:
        return fc.constantFrom(...literalPool(kindOf(field) ?? "text", extremes));
    }
  };
  const row = (table: string, id: number): fc.Arbitrary<RuleRow> => {
    const fields: Record<string, fc.Arbitrary<Json>> = { id: fc.constant(`${table}_${id}`) };
    for (const [name, field] of Object.entries(tables[table]?.fields ?? {})) {
      const mayBeAbsent = absent > 0 && (!nullableOnly || nullable.has(name));
      fields[name] = mayBeAbsent
        ? fc.oneof(
            { weight: 10 - absent, arbitrary: value(field) },
            { weight: absent, arbitrary: fc.constant(null) },
          )
        : value(field);
    }
    return fc.record(fields) as fc.Arbitrary<RuleRow>;
  };
  return fc.record(
    Object.fromEntries(
      Object.entries(ids).map(([table, count]) => [
        table,
        fc.tuple(...Array.from({ length: count }, (_, id) => row(table, id))),
      ]),
    ),
  );
}

export type Me = { readonly [claim: string]: Json };

/** A caller whose claims are all there and of the right type. */
export const randomMe: fc.Arbitrary<Me> = fc.record({
  id: fc.constantFrom("user_0", "user_1", "user_2"),
  role: fc.constantFrom("staff", "a"),
  name: fc.constantFrom(...pools.text),
  level: fc.constantFrom(...pools.number),
  admin: fc.boolean(),
  since: fc.constantFrom(...pools.time),
  teams: fc.array(fc.constantFrom(...pools.text), { maxLength: 3 }),
});

/** A caller whose claims may be missing or of any type. */
export const wildMe: fc.Arbitrary<Me> = fc.record(
  Object.fromEntries(
    ["id", "role", "name", "level", "admin", "since", "teams"].map((claim) => [
      claim,
      fc.oneof(
        fc.constant(null),
        fc.constantFrom<Json>("user_0", "staff", "a", "\ud800", 1, 0, 7, true, false, now, {}, [
          1,
          "a",
          true,
          null,
        ]),
        randomMe.map((me) => me[claim] ?? null),
      ),
    ]),
  ),
  { requiredKeys: [] },
) as fc.Arbitrary<Me>;

/** The evaluator's answer on data in memory. */
export function evaluate(
  rule: RuleExpr,
  data: Data,
  given: {
    row: RuleRow | null;
    next: RuleRow | null;
    me: Me;
    items?: Readonly<Record<string, RuleRow>>;
  },
): Truth {
  return compileRule(rule)(inputOn(data, given)) as Truth;
}

/** An input whose lookups go to data in memory. */
export function inputOn(
  data: Data,
  given: {
    row: RuleRow | null;
    next: RuleRow | null;
    me: Me;
    items?: Readonly<Record<string, RuleRow>>;
  },
): RuleInput {
  const { row, next, me, items = {} } = given;
  return {
    row,
    next,
    me,
    now,
    items,
    lookup: (table, id) => data[table]?.find((each) => each["id"] === id) ?? null,
    some: (table, alias, where, outer) => {
      const test = compileRule(where);
      return (data[table] ?? []).some((each) => {
        const inner = { ...outer, me: outer.bindings.me, items: { ...outer.items, [alias]: each } };
        return test(inputOn(data, inner)) === true;
      });
    },
  };
}
