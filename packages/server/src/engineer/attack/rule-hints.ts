// What the rules say about who owns what: which field names an owner or a tenant, which tables hold
// memberships, which fields decide rights, which values rules compare with. Read from the rules' trees;
// nothing here is declared by the app, and nothing here decides a right.
import type { Json } from "../../base/json.ts";
import type { Manifest, TableModel } from "../../model/manifest.ts";
import { ruleChildren } from "../../model/rule-analyse.ts";
import type { Rule, RuleExpr, RuleValue } from "../../model/rule-ast.ts";

/** What is known of one table. */
export interface TableHints {
  /** Own fields that hold the user whom a row belongs to; `id` of table `user`. */
  readonly owners: ReadonlySet<string>;
  /** Owners that every create binds to the caller. */
  readonly boundOwners: ReadonlySet<string>;
  /** Where rules about rows that are there look for the caller: `buyer`, `item.seller`. */
  readonly parties: ReadonlySet<string>;
  /** References that rules follow or relate to reach the caller: a row's parent, room, order. */
  readonly parents: ReadonlySet<string>;
  /** Fields compared with a claim other than id and role, by claim. */
  readonly tenants: ReadonlyMap<string, string>;
  /** Fields of this table that decide rights. */
  readonly privileges: ReadonlySet<string>;
  /** Rules look for the caller in this table: its rows are memberships. */
  readonly isMembership: boolean;
  /** Values that rules compare a field with. */
  readonly literals: ReadonlyMap<string, readonly Json[]>;
  /** Fields that rules compare with the time. */
  readonly timed: ReadonlySet<string>;
}

/** What is known of the app. */
export interface RuleHints {
  readonly tables: Readonly<Record<string, TableHints>>;
  /** Roles that rules or functions name. */
  readonly roles: readonly string[];
  /** Values that rules compare claims with, by claim; true for claims used as a condition. */
  readonly claims: ReadonlyMap<string, readonly Json[]>;
}

interface Building {
  owners: Set<string>;
  boundOwners: Set<string>;
  parties: Set<string>;
  parents: Set<string>;
  tenants: Map<string, string>;
  privileges: Set<string>;
  isMembership: boolean;
  literals: Map<string, Json[]>;
  timed: Set<string>;
}

interface Walk {
  readonly table: string;
  readonly right: "read" | "create" | "update" | "delete" | "check";
  readonly aliases: ReadonlyMap<string, string>;
}

type Path = RuleValue & { readonly kind: "path" };

/** Reads the hints of an app. */
export function readRuleHints(manifest: Manifest): RuleHints {
  const reader = new HintReader(manifest);
  for (const model of Object.values(manifest.tables)) reader.table(model);
  return reader.end();
}

class HintReader {
  readonly #manifest: Manifest;
  readonly #tables = new Map<string, Building>();
  readonly #roles = new Set<string>();
  readonly #claims = new Map<string, Json[]>();

  constructor(manifest: Manifest) {
    this.#manifest = manifest;
    for (const { allow } of Object.values(manifest.functions)) {
      if (typeof allow === "object") for (const role of allow.role) this.#roles.add(role);
    }
  }

  table({ name, rules, checks }: TableModel): void {
    const walk = (rule: Rule | undefined, right: Walk["right"]): void => {
      if (rule !== undefined) this.#expr(rule.expr, { table: name, right, aliases: new Map() });
    };
    walk(rules.read, "read");
    walk(rules.create, "create");
    walk(rules.update, "update");
    walk(rules.delete, "delete");
    for (const { read, write } of Object.values(rules.fields)) {
      walk(read, "read");
      walk(write, "update");
    }
    for (const { rule } of checks) walk(rule, "check");
    if (rules.create !== undefined) this.#bound(rules.create.expr, this.#of(name).boundOwners);
  }

  end(): RuleHints {
    const tables: Record<string, TableHints> = {};
    for (const model of Object.values(this.#manifest.tables)) {
      const hints = this.#of(model.name);
      if (model.name === "user") hints.owners.add("id");
      // No rule names an owner: the only reference to a user stands for one.
      const toUsers = Object.entries(model.fields).filter(
        ([, spec]) => (spec.kind === "ref" || spec.kind === "id") && spec.table === "user",
      );
      const own = toUsers.filter(([field]) => field !== "id");
      if (hints.owners.size === 0 && own.length === 1) hints.owners.add(own[0]?.[0] ?? "");
      tables[model.name] = hints;
    }
    const user = tables["user"];
    const claims = new Set([...this.#claims.keys(), ...(this.#roles.size > 0 ? ["role"] : [])]);
    for (const claim of claims) {
      if (user !== undefined && claim in (this.#manifest.tables["user"]?.fields ?? {})) {
        (user.privileges as Set<string>).add(claim);
      }
    }
    return { tables, roles: [...this.#roles], claims: this.#claims };
  }

  #of(table: string): Building {
    let hints = this.#tables.get(table);
    if (hints === undefined) {
      hints = {
        ...{ owners: new Set(), boundOwners: new Set(), parents: new Set(), tenants: new Map() },
        ...{
          parties: new Set(),
          privileges: new Set(),
          isMembership: false,
          literals: new Map(),
          timed: new Set(),
        },
      };
      this.#tables.set(table, hints);
    }
    return hints;
  }

  #expr(node: RuleExpr | RuleValue, walk: Walk): void {
    if (node.kind === "some") {
      const aliases = new Map([...walk.aliases, [node.alias, node.table]]);
      this.#membership(node);
      this.#expr(node.where, { ...walk, aliases });
      return;
    }
    if (node.kind === "compare") this.#compare(node, walk);
    if (node.kind === "among") {
      for (const option of node.options) this.#pair(node.value, option, walk, true);
    }
    if (node.kind === "contains") this.#pair(node.list, node.value, walk, true);
    if (node.kind === "truth" && node.value.kind === "path") {
      if (node.value.root.kind === "me") this.#claim(node.value.steps[0] ?? "", true);
    }
    for (const child of ruleChildren(node)) this.#expr(child, walk);
  }

  #compare(node: RuleExpr & { readonly kind: "compare" }, walk: Walk): void {
    this.#pair(node.left, node.right, walk, node.op === "==");
    this.#pair(node.right, node.left, walk, node.op === "==");
  }

  /** `a` compared with `b`; called both ways round. */
  #pair(a: RuleValue, b: RuleValue, walk: Walk, equal: boolean): void {
    if (a.kind !== "path") return;
    if (b.kind === "now") {
      const end = this.#end(a, walk);
      if (end !== null) this.#of(end.table).timed.add(end.field);
    }
    if (b.kind === "literal" && b.value !== null) this.#literal(a, b.value, walk);
    if (b.kind === "path" && b.root.kind === "me" && a.root.kind !== "me" && equal) {
      this.#caller(a, b.steps[0] ?? "id", walk);
    }
    if (b.kind === "path" && a.root.kind === "item" && b.root.kind !== "me") {
      // A member's room is this row's room: the row is reached through it.
      if (b.root.kind !== "item" && (b.steps[0] ?? "id") !== "id") {
        const [first = ""] = b.steps;
        if (this.#isReference(walk.table, first)) this.#of(walk.table).parents.add(first);
      }
    }
  }

  #literal(path: Path, value: Json, walk: Walk): void {
    if (path.root.kind === "me") {
      const claim = path.steps[0] ?? "";
      if (claim === "role") {
        if (typeof value === "string") this.#roles.add(value);
      } else this.#claim(claim, value);
      return;
    }
    const end = this.#end(path, walk);
    if (end === null) return;
    const { literals } = this.#of(end.table);
    const known = literals.get(end.field) ?? [];
    if (!known.includes(value)) literals.set(end.field, [...known, value]);
  }

  #caller(path: Path, claim: string, walk: Walk): void {
    const end = this.#end(path, walk);
    if (end === null) return;
    if (claim === "role") {
      this.#of(end.table).literals.set(
        end.field,
        this.#of(end.table).literals.get(end.field) ?? [],
      );
      return;
    }
    if (claim === "id") {
      if (path.root.kind === "row") this.#of(walk.table).parties.add(path.steps.join("."));
      if (this.#isUserField(end.table, end.field)) this.#of(end.table).owners.add(end.field);
    } else {
      this.#of(end.table).tenants.set(claim, end.field);
      if (!this.#claims.has(claim)) this.#claims.set(claim, []);
    }
    const [first = ""] = path.steps;
    if (path.through.length > 0 && path.root.kind !== "item") {
      if (this.#isReference(walk.table, first)) this.#of(walk.table).parents.add(first);
    }
  }

  /** `db.member.some((m) => m.user === me.id && m.role === "admin")`: who is in, and what they may. */
  #membership(node: RuleExpr & { readonly kind: "some" }): void {
    const hints = this.#of(node.table);
    let isOfCaller = false;
    const privileges: string[] = [];
    const look = (part: RuleExpr | RuleValue): void => {
      if (part.kind === "compare") {
        for (const [a, b] of [[part.left, part.right] as const, [part.right, part.left] as const]) {
          if (a.kind !== "path" || a.root.kind !== "item" || a.root.alias !== node.alias) continue;
          const field = a.steps[0] ?? "id";
          if (b.kind === "path" && b.root.kind === "me" && b.steps[0] === "id") isOfCaller = true;
          else if (b.kind === "literal" && a.steps.length === 1) privileges.push(field);
        }
      }
      if (part.kind === "among" && part.value.kind === "path" && part.value.root.kind === "item") {
        if (part.value.root.alias === node.alias) privileges.push(part.value.steps[0] ?? "id");
      }
      if (part.kind === "truth" && part.value.kind === "path" && part.value.root.kind === "item") {
        if (part.value.root.alias === node.alias) privileges.push(part.value.steps[0] ?? "id");
      }
      for (const child of ruleChildren(part)) look(child);
    };
    look(node.where);
    if (!isOfCaller) return;
    hints.isMembership = node.table !== "user" || hints.isMembership;
    for (const field of privileges) hints.privileges.add(field);
  }

  #bound(expr: RuleExpr, into: Set<string>): void {
    if (expr.kind === "and") for (const part of expr.parts) this.#bound(part, into);
    if (expr.kind !== "compare" || expr.op !== "==") return;
    for (const [a, b] of [[expr.left, expr.right] as const, [expr.right, expr.left] as const]) {
      if (a.kind !== "path" || b.kind !== "path" || a.root.kind !== "next") continue;
      if (b.root.kind === "me" && b.steps[0] === "id" && a.steps.length === 1) {
        into.add(a.steps[0] ?? "");
      }
    }
  }

  #claim(claim: string, value: Json): void {
    const known = this.#claims.get(claim) ?? [];
    if (!known.includes(value)) this.#claims.set(claim, [...known, value]);
  }

  /** The table and field that a path ends in. */
  #end(path: Path, walk: Walk): { readonly table: string; readonly field: string } | null {
    const field = path.steps.at(-1) ?? "id";
    const last = path.through.at(-1);
    if (last !== undefined) return { table: last, field };
    if (path.root.kind === "me") return null;
    if (path.root.kind !== "item") return { table: walk.table, field };
    const table = walk.aliases.get(path.root.alias);
    return table === undefined ? null : { table, field };
  }

  #isUserField(table: string, field: string): boolean {
    const spec = this.#manifest.tables[table]?.fields[field];
    return (spec?.kind === "ref" || spec?.kind === "id") && spec.table === "user";
  }

  #isReference(table: string, field: string): boolean {
    const spec = this.#manifest.tables[table]?.fields[field];
    return spec?.kind === "ref" || (spec?.kind === "id" && field !== "id");
  }
}
