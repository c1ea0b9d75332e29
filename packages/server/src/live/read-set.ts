// What one run of a live query reads, collected from the gate as dependencies: rows by id, ranges with their
// filter and the reader's rule, ends of pages, expansions, and what the rules of rows and fields look at.
import { assert } from "../base/assert.ts";
import type { Limits } from "../base/limits.ts";
import type { Reach } from "../gate/caller-rights.ts";
import type { CameRows, ReadRecorder, ReadRights } from "../gate/read-recorder.ts";
import type { RuledTable } from "../gate/table-rules.ts";
import { parseTime } from "../model/field-time.ts";
import type { Manifest } from "../model/manifest.ts";
import type { AggregateQuery, ListQuery, Where, WithTerm } from "../model/query-form.ts";
import type { RuleExpr } from "../model/rule-ast.ts";
import type { RuleCaller } from "../model/rule-simplify.ts";
import { analyseRule } from "../model/rule-analyse.ts";
import { matchWhere } from "../store/memory/where-match.ts";
import type { Row } from "../store/store.ts";
import { noFields, type Dependency, type RowsDependency } from "./dependency.ts";
import { pageEnd } from "./page-end.ts";
import { jointKeys, type IndexKeys, type Narrowest } from "./index-key.ts";
import { ruleKeys, ruleMayHold, ruleOthers, type RowRoot } from "./rule-parts.ts";
import { timeFacts } from "./time-facts.ts";
import { addWhereFields, whereKeys } from "./where-keys.ts";

const rowRoot: RowRoot = { kind: "row" };
const noTerms: readonly WithTerm[] = [];

/** What a read set is made with. */
export interface ReadSetParts {
  readonly manifest: Manifest;
  readonly tables: ReadonlyMap<string, RuledTable>;
  readonly limits: Limits;
  /** Chooses the bound of a table that fewest subscriptions share. */
  narrowest(table: string, bounds: readonly IndexKeys[]): IndexKeys;
}

/** When a run's answer changes by itself. */
export interface ReadTimes {
  /** Fields compared with `now`: `table` and `field`. */
  readonly fields: ReadonlyMap<string, { readonly table: string; readonly field: string }>;
  /** Times (RFC 3339) at which rules turn. */
  readonly moments: ReadonlySet<string>;
  readonly isPeriodic: boolean;
}

/** One range as it is about to be read. */
interface Range {
  readonly table: string;
  readonly where: Where | undefined;
  readonly rights: ReadRights;
  /** Null: all. */
  readonly fields: ReadonlySet<string> | null;
}

/** Collects the reads of one run. */
export class ReadSet implements ReadRecorder {
  readonly #parts: ReadSetParts;
  readonly #dependencies: Dependency[] = [];
  readonly #rows = new Set<string>();
  readonly #ruled = new Set<string>();
  /** Expansions of reads that have not come (yet): if they fail, any change of their tables counts. */
  readonly #open = new Set<readonly WithTerm[]>();
  readonly #tables = new Set<string>();
  readonly #times = new Map<string, { readonly table: string; readonly field: string }>();
  readonly #moments = new Set<string>();
  #isPeriodic = false;

  constructor(parts: ReadSetParts) {
    this.#parts = parts;
  }

  row(
    read: { readonly table: string; readonly id: string; readonly terms: readonly WithTerm[] },
    rights: ReadRights,
  ): (row: Row | null) => void {
    const { table, id, terms } = read;
    this.#addRow(table, id);
    this.#addRights(table, rights);
    this.#open.add(terms);
    return (row) => {
      this.#open.delete(terms);
      if (row !== null) this.#addTerms([row], terms, rights);
    };
  }

  rows(query: ListQuery | AggregateQuery, rights: ReadRights): (came: CameRows) => void {
    const table = query.from;
    this.#addRights(table, rights);
    const range: Range = {
      table,
      where: query.where,
      rights,
      fields: this.#fieldsOf(query, rights),
    };
    const at = this.#dependencies.length;
    const whole = this.#rangeOf(range, null);
    this.#dependencies.push(whole);
    if (query.kind === "aggregate") return () => {};
    if (query.search !== undefined && query.orderBy.length === 0) this.#addRelevance(table);
    const terms = query.with ?? noTerms;
    this.#open.add(terms);
    return ({ rows, next }) => {
      this.#open.delete(terms);
      const end = next === null || rows.length < query.limit ? null : pageEnd(query, rows.at(-1));
      if (end !== null) {
        const matching = this.#matchingOf(query, rights);
        this.#dependencies[at] = { ...whole, isBeyond: end, matching };
      }
      this.#addTerms(rows, terms, rights);
    };
  }

  /** Everything that was read, at most about limits.liveReadsMax things. */
  finish(): { readonly dependencies: readonly Dependency[]; readonly times: ReadTimes } {
    for (const terms of this.#open) this.#addTermTables(terms);
    const times: ReadTimes = {
      fields: this.#times,
      moments: this.#moments,
      isPeriodic: this.#isPeriodic,
    };
    const { liveReadsMax } = this.#parts.limits;
    for (const table of this.#tables) this.#dependencies.push(anyChange(table));
    if (this.#dependencies.length <= liveReadsMax) {
      return { dependencies: this.#dependencies, times };
    }
    const tables = new Set(this.#dependencies.map(({ table }) => table));
    return { dependencies: [...tables].map(anyChange), times };
  }

  #addRow(table: string, id: string): void {
    const key = `${table} ${id}`;
    if (this.#rows.has(key)) return;
    this.#rows.add(key);
    this.#dependencies.push({ kind: "row", table, id });
  }

  #rangeOf(range: Range, isBeyond: ((row: Row) => boolean) | null) {
    const { table, where, rights, fields } = range;
    const rule = ruleOf(table, rights);
    const caller = rights.reach.bindings;
    const narrowest: Narrowest = (bounds) => this.#parts.narrowest(table, bounds);
    const bounds: IndexKeys[] = [];
    if (where !== undefined) bounds.push(whereKeys(where, narrowest));
    if (rule !== null) bounds.push(ruleKeys(rule, rowRoot, caller, narrowest));
    return {
      kind: "rows",
      table,
      keys: jointKeys(bounds, narrowest),
      mayMatch: mayMatch(where, rule, caller),
      fields,
      isBeyond,
      matching: noFields,
    } as const;
  }

  /** Relevance weighs a word by how many rows hold it, and a row by how long the others are: it depends on all. */
  #addRelevance(table: string): void {
    const fields = new Set(this.#tableOf(table).model.search);
    this.#dependencies.push({ ...anyChange(table), fields });
  }

  /** The fields that a search or a rule looks at: of both `mayMatch` says only what could be. */
  #matchingOf(query: ListQuery, rights: ReadRights): ReadonlySet<string> {
    const ruled = this.#tableOf(query.from);
    const rule = ruleOf(query.from, rights);
    return new Set([
      ...(query.search === undefined ? [] : ruled.model.search),
      ...(rule === null ? [] : analyseRule(rule).rowFields),
    ]);
  }

  /** What the rules of a table look at besides its own rows, and what time does to them. Once a table. */
  #addRights(table: string, rights: ReadRights): void {
    if (rights.as === "system" || this.#ruled.has(table)) return;
    this.#ruled.add(table);
    const ruled = this.#tableOf(table);
    const reach = rights.reach.of(ruled);
    if (reach.rule !== false) this.#addOthers(reach.rule, rights.reach.bindings);
    for (const { rule } of reach.conditional) this.#addOthers(rule, rights.reach.bindings);
    if (ruled.read !== null) this.#addTimes(ruled.read.rule.expr, table, rights.reach);
    for (const { rule } of ruled.fieldReads.values()) {
      this.#addTimes(rule.expr, table, rights.reach);
    }
  }

  #addOthers(rule: RuleExpr, caller: RuleCaller): void {
    const { lookups, somes } = ruleOthers(rule);
    for (const [table, fields] of lookups) {
      this.#dependencies.push({ kind: "lookup", table, fields });
    }
    for (const { table, alias, where } of somes) {
      const root: RowRoot = { kind: "item", alias };
      const test = ruleMayHold(where, root);
      const fields = new Set(analyseRule(rule).reads[table] ?? []);
      this.#dependencies.push({
        kind: "rows",
        table,
        keys: ruleKeys(where, root, caller, (bounds) => this.#parts.narrowest(table, bounds)),
        mayMatch: (row) => test(row, caller),
        fields,
        isBeyond: null,
        matching: noFields,
      });
    }
  }

  #addTimes(expr: RuleExpr, table: string, reach: Reach): void {
    const facts = timeFacts(expr, table, this.#parts.manifest);
    for (const each of facts.fields) this.#times.set(`${each.table}.${each.field}`, each);
    for (const moment of facts.moments) this.#moments.add(moment);
    for (const claim of facts.claims) {
      const value = reach.bindings.me[claim];
      if (typeof value !== "string") continue;
      if (parseTime(value) === value) this.#moments.add(value);
      else this.#isPeriodic = true;
    }
    this.#isPeriodic ||= facts.isPeriodic;
  }

  /** @param terms as the store filled them in. */
  #addTerms(rows: readonly Row[], terms: readonly WithTerm[], rights: ReadRights): void {
    for (const term of terms) {
      this.#addRights(term.table, rights);
      if (term.kind === "one") this.#addOne(rows, term, rights);
      else this.#addMany(rows, term, rights);
      if (term.with === undefined) continue;
      const came = rows.flatMap((row) => (row[term.name] ?? []) as Row | readonly Row[]);
      this.#addTerms(came, term.with, rights);
    }
  }

  #addOne(rows: readonly Row[], term: WithTerm, rights: ReadRights): void {
    for (const row of rows) {
      const target = row[term.name] as Row | null | undefined;
      const id = target?.["id"] ?? (term.name === term.via ? undefined : row[term.via]);
      if (typeof id === "string") this.#addRow(term.table, id);
      else if (id === undefined) this.#addHidden(term.table, rights);
    }
  }

  /** A target that did not come, and whose id the expansion took the place of: any that could come counts. */
  #addHidden(table: string, rights: ReadRights): void {
    const key = `${table} hidden ${rights.as}`;
    if (rights.as === "system" || this.#ruled.has(key)) return;
    this.#ruled.add(key);
    this.#dependencies.push(this.#rangeOf({ table, where: undefined, rights, fields: null }, null));
  }

  #addMany(rows: readonly Row[], term: WithTerm, rights: ReadRights): void {
    const { table, via } = term;
    const parents = rows.map((row) => row["id"]).filter((id) => typeof id === "string");
    if (parents.length === 0) return;
    const ours: Where = { kind: "field", field: via, condition: { in: parents } };
    const where: Where =
      term.where === undefined ? ours : { kind: "and", parts: [ours, term.where] };
    this.#dependencies.push(this.#rangeOf({ table, where, rights, fields: null }, null));
  }

  #addTermTables(terms: readonly WithTerm[]): void {
    for (const { table, with: inner } of terms) {
      this.#tables.add(table);
      if (inner !== undefined) this.#addTermTables(inner);
    }
  }

  /** Null when every field of a matching row is shown. */
  #fieldsOf(query: ListQuery | AggregateQuery, rights: ReadRights): ReadonlySet<string> | null {
    const fields = new Set<string>();
    if (query.kind === "aggregate") {
      for (const field of query.groupBy) fields.add(field);
      for (const { field } of query.values) if (field !== undefined) fields.add(field);
    } else {
      if (query.select === undefined) return null;
      for (const field of query.select) fields.add(field);
      for (const { field } of query.orderBy) fields.add(field);
      for (const { via } of query.with ?? noTerms) fields.add(via);
    }
    if (query.where !== undefined) addWhereFields(query.where, fields);
    const ruled = this.#tableOf(query.from);
    if (query.search !== undefined) for (const field of ruled.model.search) fields.add(field);
    if (rights.as === "system") return fields;
    const reach = rights.reach.of(ruled);
    const rules = reach.conditional.map(({ rule }) => rule);
    for (const rule of reach.rule === false ? rules : [reach.rule, ...rules]) {
      for (const field of analyseRule(rule).rowFields) fields.add(field);
    }
    return fields;
  }

  #tableOf(name: string): RuledTable {
    const table = this.#parts.tables.get(name);
    assert(table !== undefined, "a table that was read exists");
    return table;
  }
}

/** Null: every row may be read. */
function ruleOf(table: string, rights: ReadRights): RuleExpr | null {
  if (rights.as === "system") return null;
  const rule = rights.reach.readRule(table);
  // A hidden table shows nothing; what time may change about that is watched apart.
  return rule === false ? never : rule;
}

const never: RuleExpr = Object.freeze({
  kind: "constant",
  value: false,
  at: { file: "", start: 0, end: 0 },
});

function mayMatch(
  where: Where | undefined,
  rule: RuleExpr | null,
  caller: RuleCaller,
): ((row: Row) => boolean) | null {
  const test = rule === null || isAlways(rule) ? null : ruleMayHold(rule, rowRoot);
  if (where === undefined) return test === null ? null : (row) => test(row, caller);
  return (row) => matchWhere(where, row) === true && (test === null || test(row, caller));
}

function isAlways(rule: RuleExpr): boolean {
  return rule.kind === "constant" && rule.value === true;
}

function anyChange(table: string): RowsDependency {
  return {
    kind: "rows",
    table,
    keys: null,
    mayMatch: null,
    fields: null,
    isBeyond: null,
    matching: noFields,
  };
}
