// What a rule depends on: for live queries (which commits can change its answer), for the SQL compiler
// and the simplifier (which parts are decided by the caller alone), for check and attack.
import type { RuleExpr, RuleValue } from "./rule-ast.ts";

/** What a rule looks at. Arrays are sorted and hold no doubles. */
export interface RuleFacts {
  readonly dependsOnRow: boolean;
  readonly dependsOnNext: boolean;
  readonly dependsOnMe: boolean;
  readonly dependsOnNow: boolean;
  /** Claims of `me`: "id", "role", ... */
  readonly claims: readonly string[];
  /** Fields of the row and of the next row themselves (first steps). */
  readonly rowFields: readonly string[];
  readonly nextFields: readonly string[];
  /** Other rows: fields read by table, through references and in `some`; `id` where a table is only looked into. */
  readonly reads: Readonly<Record<string, readonly string[]>>;
  /** Tables of `db.<table>.some`: any change in them may change the answer. */
  readonly someTables: readonly string[];
  /** Rows of enclosing `some` that the expression speaks of but does not bind: when it is a part of a rule. */
  readonly freeItems: readonly string[];
  /** The truth when it is the same for every caller, row and time; null when it is not. */
  readonly always: boolean | null;
}

interface Collected {
  readonly claims: Set<string>;
  readonly row: Set<string>;
  readonly next: Set<string>;
  readonly reads: Map<string, Set<string>>;
  readonly some: Set<string>;
  readonly free: Set<string>;
  now: boolean;
}

/** A rule's expression or value. */
type RuleNode = RuleExpr | RuleValue;

const known = new WeakMap<RuleNode, RuleFacts>();

/** What an expression (or value) depends on. Remembered per node: nodes are frozen. */
export function analyseRule(node: RuleNode): RuleFacts {
  const before = known.get(node);
  if (before !== undefined) return before;
  const into: Collected = {
    claims: new Set(),
    row: new Set(),
    next: new Set(),
    reads: new Map(),
    some: new Set(),
    free: new Set(),
    now: false,
  };
  collect(node, new Map(), into);
  const facts: RuleFacts = Object.freeze({
    dependsOnRow: into.row.size > 0,
    dependsOnNext: into.next.size > 0,
    dependsOnMe: into.claims.size > 0,
    dependsOnNow: into.now,
    claims: sorted(into.claims),
    rowFields: sorted(into.row),
    nextFields: sorted(into.next),
    reads: Object.freeze(
      Object.fromEntries([...into.reads].map(([table, fields]) => [table, sorted(fields)])),
    ),
    someTables: sorted(into.some),
    freeItems: sorted(into.free),
    always: alwaysTruth(node),
  });
  known.set(node, facts);
  return facts;
}

/** Whether the answer is decided by `me` and `now` alone, with no row read. */
export function isRowFree(node: RuleNode): boolean {
  const facts = analyseRule(node);
  if (facts.dependsOnRow || facts.dependsOnNext) return false;
  return facts.someTables.length === 0 && facts.freeItems.length === 0;
}

function collect(node: RuleNode, aliases: ReadonlyMap<string, string>, into: Collected): void {
  switch (node.kind) {
    case "constant":
    case "literal":
      return;
    case "now":
      into.now = true;
      return;
    case "path":
      return collectPath(node, aliases, into);
    case "some":
      into.some.add(node.table);
      fieldsOf(into, node.table).add("id");
      return collect(node.where, new Map([...aliases, [node.alias, node.table]]), into);
    case "truth":
    case "compare":
    case "presence":
    case "and":
    case "or":
    case "not":
    case "among":
    case "contains":
    case "text":
    case "if":
    case "arithmetic":
    case "length":
    case "choose":
      for (const child of ruleChildren(node)) collect(child, aliases, into);
      return;
    default:
      node satisfies never;
  }
}

function collectPath(
  path: RuleValue & { kind: "path" },
  aliases: ReadonlyMap<string, string>,
  into: Collected,
): void {
  const [first = "id"] = path.steps;
  path.through.forEach((table, index) => fieldsOf(into, table).add(path.steps[index + 1] ?? "id"));
  switch (path.root.kind) {
    case "row":
      into.row.add(first);
      return;
    case "next":
      into.next.add(first);
      return;
    case "me":
      into.claims.add(first);
      return;
    case "item": {
      const table = aliases.get(path.root.alias);
      if (table === undefined) into.free.add(path.root.alias);
      else fieldsOf(into, table).add(first);
      return;
    }
    default:
      path.root satisfies never;
  }
}

/** The expressions and values directly below a node, in source order. */
export function ruleChildren(node: RuleNode): readonly RuleNode[] {
  switch (node.kind) {
    case "constant":
    case "literal":
    case "now":
    case "path":
      return [];
    case "truth":
      return [node.value];
    case "compare":
    case "arithmetic":
      return [node.left, node.right];
    case "presence":
    case "length":
      return [node.of];
    case "and":
    case "or":
      return node.parts;
    case "not":
      return [node.part];
    case "among":
      return [...node.options, node.value];
    case "contains":
      return [node.list, node.value];
    case "text":
      return [node.subject, node.value];
    case "some":
      return [node.where];
    case "if":
    case "choose":
      return [node.when, node.yes, node.no];
    default:
      return node satisfies never;
  }
}

function alwaysTruth(node: RuleNode): boolean | null {
  switch (node.kind) {
    case "constant":
      return node.value;
    case "literal":
      return typeof node.value === "boolean" ? node.value : null;
    case "truth":
      return alwaysTruth(node.value);
    case "not": {
      const part = alwaysTruth(node.part);
      return part === null ? null : !part;
    }
    case "and":
    case "or": {
      const end = node.kind === "or";
      const parts = node.parts.map(alwaysTruth);
      if (parts.includes(end)) return end;
      return parts.every((part) => part === !end) ? !end : null;
    }
    case "if": {
      const when = alwaysTruth(node.when);
      if (when === null) return null;
      return alwaysTruth(when ? node.yes : node.no);
    }
    case "compare":
    case "presence":
    case "among":
    case "contains":
    case "text":
    case "some":
    case "path":
    case "now":
    case "arithmetic":
    case "length":
    case "choose":
      return null;
    default:
      return node satisfies never;
  }
}

function fieldsOf(into: Collected, table: string): Set<string> {
  const fields = into.reads.get(table) ?? new Set<string>();
  into.reads.set(table, fields);
  return fields;
}

function sorted(names: ReadonlySet<string>): readonly string[] {
  return Object.freeze([...names].toSorted((a, b) => (a < b ? -1 : 1)));
}
