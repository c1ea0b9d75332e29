// What the rules give to whom, row by row and field by field: the expected answer of every probe.
import type { Json } from "../../base/json.ts";
import type { Manifest, TableModel } from "../../model/manifest.ts";
import type { Rule } from "../../model/rule-ast.ts";
import type { Row } from "../../store/store.ts";
import { judgeRule } from "./judge-rule.ts";
import type { World } from "./world.ts";

/** `me` of an identity. */
export type Me = Readonly<Record<string, Json>>;

/** A write that is to be judged. */
export interface JudgedWrite {
  readonly row: Row | null;
  readonly next: Row | null;
  /** Fields that the caller named. */
  readonly given: readonly string[];
}

/** Decides rights over plain rows. */
export class Judge {
  readonly manifest: Manifest;
  readonly world: World;
  readonly #now: () => string;

  constructor(manifest: Manifest, world: World, now: () => string) {
    this.manifest = manifest;
    this.world = world;
    this.#now = now;
  }

  table(name: string): TableModel {
    const model = this.manifest.tables[name];
    if (model === undefined) throw new Error(`there is no table ${name}`);
    return model;
  }

  /** Whether a rule is true. An absent rule is not. */
  holds(rule: Rule | undefined, me: Me, row: Row | null, next: Row | null): boolean {
    if (rule === undefined) return false;
    const scene = { row, next, me, now: this.#now(), world: this.world, items: {} };
    return judgeRule(rule.expr, scene) === true;
  }

  readsRow(me: Me, table: string, row: Row): boolean {
    return this.holds(this.table(table).rules.read, me, row, null);
  }

  readsField(me: Me, table: string, row: Row, field: string): boolean {
    if (!this.readsRow(me, table, row)) return false;
    const model = this.table(table);
    if (model.fields[field]?.private === true) return false;
    const rule = model.rules.fields[field]?.read;
    return rule === undefined || this.holds(rule, me, row, null);
  }

  /** Whether the field may be used in filters and orders: read of every row, decided without a row. */
  readsFieldAlways(me: Me, table: string, field: string): boolean {
    const model = this.table(table);
    if (model.fields[field]?.private === true) return false;
    const rule = model.rules.fields[field]?.read;
    return rule === undefined || this.holds(rule, me, null, null);
  }

  creates(me: Me, table: string, write: JudgedWrite): boolean {
    return (
      this.holds(this.table(table).rules.create, me, null, write.next) &&
      this.#writesFields(me, table, write) &&
      this.#mayRefer(me, table, write)
    );
  }

  updates(me: Me, table: string, write: JudgedWrite): boolean {
    const { row, next } = write;
    if (row === null || !this.readsRow(me, table, row)) return false;
    return (
      this.holds(this.table(table).rules.update, me, row, next) &&
      this.#writesFields(me, table, write) &&
      this.#mayRefer(me, table, write)
    );
  }

  deletes(me: Me, table: string, row: Row): boolean {
    return (
      this.readsRow(me, table, row) && this.holds(this.table(table).rules.delete, me, row, null)
    );
  }

  /** Whether every check of the table is true of a row. */
  passesChecks(table: string, row: Row | null, next: Row): boolean {
    return this.table(table).checks.every(({ rule }) => this.holds(rule, {}, row, next));
  }

  #writesFields(me: Me, table: string, { row, next, given }: JudgedWrite): boolean {
    const { rules, fields } = this.table(table);
    return given.every((field) => {
      if (fields[field]?.private === true) return false;
      const rule = rules.fields[field]?.write;
      return rule === undefined || this.holds(rule, me, row, next);
    });
  }

  /** A reference that is given must lead to a row that the caller may read, to itself, or be as it was. */
  #mayRefer(me: Me, table: string, { row, next, given }: JudgedWrite): boolean {
    return given.every((field) => {
      const spec = this.table(table).fields[field];
      const id = next?.[field];
      if (spec?.kind !== "ref" || typeof id !== "string") return true;
      if (spec.table === "user" && id === me["id"]) return true;
      if (row !== null && row[field] === id && this.readsField(me, table, row, field)) return true;
      const target = this.world.row(spec.table, id);
      return target !== null && this.readsRow(me, spec.table, target);
    });
  }
}
