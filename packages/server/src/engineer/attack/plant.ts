// Plants the world to attack: for each of two owners a full set of rows of every table, in every state that
// fields can be in, and the users of every identity. Rows are created as the system, so values, checks and
// constraints hold as for real data.
import type { Json } from "../../base/json.ts";
import type { FieldSpec, Manifest, TableModel } from "../../model/manifest.ts";
import type { Row } from "../../store/store.ts";
import type { AttackTarget } from "./attack-target.ts";
import type { CanaryBook } from "./canary.ts";
import type { Identity, IdentityPlan } from "./identity-plan.ts";
import type { Judge, Me } from "./judge.ts";
import type { RuleHints } from "./rule-hints.ts";
import { seedValue } from "./seed-value.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { guestParts, notYet, parentsFirst, referencesIn } from "./plant-guest.ts";
import { isAsWished, wishesOf, type Wish } from "./rule-wish.ts";
import { isHoldingName } from "./sensitive-name.ts";
import { suggest, type Draft } from "./value-search.ts";
import type { World } from "./world.ts";

/** Whose world a planted row is of; `s`: what a stranger's or a trusted user's row needs to exist. */
export type Cohort = "a" | "b" | "s";

/** What planting needs. */
export interface PlantParts {
  readonly target: AttackTarget;
  readonly manifest: Manifest;
  readonly hints: RuleHints;
  readonly world: World;
  readonly judge: Judge;
  readonly canaries: CanaryBook;
  readonly random: SeededRandom;
}

/** The planted world. */
export interface Planted {
  readonly people: readonly Identity[];
  /** Planted rows by table and cohort, the first one being what others refer to. */
  rowsOf(table: string, cohort: Cohort): readonly Row[];
  /** Plants rows that people beside the owners have a part in, after the third of each table. @returns them. */
  plantGuests(): Promise<readonly (readonly [Cohort, Row])[]>;
  /** Tables that could not be filled, with the reason. */
  readonly failed: ReadonlyMap<string, string>;
}

const triesMax = 60;
const variantsMax = 6;
/** Values of a row that a rule wishes are known but for a few; one that can't be is no failure. */
const wishTriesMax = 6;
const wishDepthMax = 3;
const guestTriesMax = 3;

/** Plants everything. */
export async function plantWorld(
  parts: PlantParts,
  plans: readonly IdentityPlan[],
): Promise<Planted> {
  const planter = new Planter(parts);
  await planter.users(plans);
  for (const cohort of ["a", "b"] as const) {
    for (const model of Object.values(parts.manifest.tables)) {
      if (model.name !== "user") await planter.fill(model, cohort);
    }
  }
  await planter.wishes(plans);
  await planter.memberships();
  await planter.bystander(plans);
  const people = await planter.people(plans);
  return {
    people,
    rowsOf: (table, cohort) => planter.rowsOf(table, cohort),
    plantGuests: () => planter.guests(plans),
    failed: planter.failed,
  };
}

class Planter {
  readonly failed = new Map<string, string>();
  readonly #parts: PlantParts;
  readonly #rows = new Map<string, Row[]>();
  readonly #users = new Map<IdentityPlan, Row>();
  readonly #making = new Set<string>();

  constructor(parts: PlantParts) {
    this.#parts = parts;
  }

  rowsOf(table: string, cohort: Cohort): readonly Row[] {
    return this.#rows.get(`${table} ${cohort}`) ?? [];
  }

  async users(plans: readonly IdentityPlan[]): Promise<void> {
    const model = this.#parts.manifest.tables["user"];
    if (model === undefined) return;
    for (const plan of plans) {
      if (plan.kind === "anonymous") continue;
      const row = await this.#user(model, plan);
      if (row !== null) this.#users.set(plan, row);
    }
  }

  /** A user as the plan says. */
  #user(model: TableModel, plan: IdentityPlan): Promise<Row | null> {
    const cohort: Cohort = plan.kind === "stranger" ? "s" : (plan.cohort ?? "s");
    const fixed: Draft = {};
    if (model.fields["role"] !== undefined) fixed["role"] = roleValue(model, plan.role);
    for (const field of this.#parts.hints.tables["user"]?.privileges ?? []) {
      const kind = model.fields[field]?.kind;
      if (field !== "role" && kind !== "ref" && kind !== "id")
        fixed[field] = plan.claims[field] ?? lowest(model.fields[field]);
    }
    return this.#plant(model, cohort, 0, fixed);
  }

  /** Every state of a table's rows, in one cohort. */
  async fill(model: TableModel, cohort: Cohort): Promise<void> {
    const variants = variantCount(model, this.#parts.hints);
    for (let variant = 0; variant < variants; variant++) {
      if (variant === 0 && this.rowsOf(model.name, cohort).length > 0) continue;
      const fixed: Draft = {};
      // The last one has nothing in it that may be absent.
      if (variant === variants - 1 && variants > 1) {
        for (const [name, spec] of Object.entries(model.fields)) {
          if (
            spec.optional === true &&
            spec.kind !== "ref" &&
            !this.#hints(model).privileges.has(name)
          )
            fixed[name] = null;
        }
      }
      await this.#plant(model, cohort, variant, fixed);
    }
  }

  /** For each owner and role a row that meets a whole rule, where no row does yet: states go round by themselves. */
  async wishes(plans: readonly IdentityPlan[]): Promise<void> {
    for (const plan of plans) {
      if (plan.cohort === null || plan.kind === "member") continue;
      const me = this.#me(plan);
      for (const model of Object.values(this.#parts.manifest.tables)) {
        if (model.name === "user" || this.#isTenant(model.name)) continue;
        for (const right of ["read", "update", "delete", "create"] as const) {
          const rule = model.rules[right];
          if (rule === undefined) continue;
          const root = right === "create" ? "next" : "row";
          const now = isoNow(this.#parts.target);
          const ways = wishesOf(rule.expr, { root, me, now, world: this.#parts.world });
          await this.#grant(model, plan.cohort, ways);
        }
      }
    }
  }

  /** Plants a row as wished in the first of these ways, unless a row is so in any of them. */
  async #grant(
    model: TableModel,
    cohort: Cohort,
    ways: readonly Wish[],
    depth = 0,
  ): Promise<Row | null> {
    const [first] = ways;
    if (first === undefined) return null;
    const { world } = this.#parts;
    const rows = world.live(model.name, this.rowsOf(model.name, cohort));
    const there = rows.find((row) =>
      ways.some((wish) => isAsWished(row, wish, model.fields, this.#parts)),
    );
    if (there !== undefined || depth > wishDepthMax) return there ?? null;
    const fixed: Draft = { ...first.fields };
    for (const [field, below] of Object.entries(first.under)) {
      const spec = model.fields[field];
      const parent = spec?.kind === "ref" ? this.#parts.manifest.tables[spec.table] : undefined;
      if (parent === undefined || parent.name === "user" || this.#isTenant(parent.name))
        return null;
      const row = await this.#grant(parent, cohort, [below], depth + 1);
      if (row === null) return null;
      fixed[field] = row["id"] ?? null;
    }
    return "id" in fixed ? null : this.#plant(model, cohort, 0, fixed, wishTriesMax);
  }

  /** A member of A who owns nothing there: rows in the tables where rules look for members. */
  async memberships(): Promise<void> {
    const member = [...this.#users].find(([plan]) => plan.kind === "member")?.[1];
    if (member === undefined) return;
    for (const model of Object.values(this.#parts.manifest.tables)) {
      const hints = this.#hints(model);
      if (!hints.isMembership || model.name === "user") continue;
      const fixed: Draft = {};
      for (const owner of hints.owners) if (owner !== "id") fixed[owner] = member["id"] ?? null;
      for (const field of hints.privileges)
        fixed[field] = lowest(model.fields[field], hints.literals.get(field));
      await this.#plant(model, "a", 0, fixed);
    }
  }

  async guests(plans: readonly IdentityPlan[]): Promise<readonly (readonly [Cohort, Row])[]> {
    const { manifest } = this.#parts;
    const added: (readonly [Cohort, Row])[] = [];
    for (const plan of plans) {
      if (plan.kind !== "owner" || plan.cohort === null) continue;
      const { cohort } = plan;
      const user = manifest.tables["user"];
      const guest = user === undefined ? null : await this.#user(user, plan);
      if (guest === null) continue;
      added.push([cohort, guest]);
      const rows = new Map<string, readonly Row[]>([["user", [guest]]]);
      for (const model of parentsFirst(manifest.tables)) {
        if (model.name === "user" || this.#isTenant(model.name)) continue;
        const own: Row[] = [];
        for (const fixed of guestParts(model, rows)) {
          const parts = { ...notYet(model), ...fixed };
          const row = await this.#plant(model, cohort, 0, parts, guestTriesMax);
          if (row !== null) own.push(row);
        }
        const key = `${model.name} ${cohort}`;
        const others = this.rowsOf(model.name, cohort).filter((row) => !own.includes(row));
        this.#rows.set(key, [...others.slice(0, 3), ...own, ...others.slice(3)]);
        rows.set(model.name, own);
        for (const row of own) added.push([cohort, row]);
      }
    }
    return added;
  }

  /** Somebody to whom no row refers: references would keep whoever else is deleted. */
  async bystander(plans: readonly IdentityPlan[]): Promise<void> {
    const model = this.#parts.manifest.tables["user"];
    const owner = plans.find(({ kind, cohort }) => kind === "owner" && cohort === "b");
    if (model !== undefined && owner !== undefined) await this.#user(model, owner);
  }

  async people(plans: readonly IdentityPlan[]): Promise<readonly Identity[]> {
    const people: Identity[] = [];
    for (const plan of plans) {
      const user = this.#users.get(plan) ?? null;
      if (plan.kind === "anonymous") {
        people.push({ ...plan, user: null, token: null, me: { id: null, role: null } });
        continue;
      }
      if (user === null) continue;
      const { id, role, ...claims } = this.#me(plan);
      const token = await this.#parts.target.signToken({
        user: String(id),
        role: plan.role,
        claims,
      });
      people.push({ ...plan, user: String(id), token, me: { id, role, ...claims } });
    }
    return people;
  }

  /** What rules see of somebody who has a row. */
  #me(plan: IdentityPlan): Me & { readonly id: Json; readonly role: Json } {
    const id = this.#users.get(plan)?.["id"] ?? null;
    return { id, role: plan.role, ...this.#tenantClaims(plan), ...plan.claims };
  }

  #hints(model: TableModel) {
    const hints = this.#parts.hints.tables[model.name];
    if (hints === undefined) throw new Error(`no hints for ${model.name}`);
    return hints;
  }

  #isTenant(table: string): boolean {
    return Object.entries(this.#parts.hints.tables).some(([name, { tenants }]) =>
      [...tenants.values()].some((field) => {
        const spec = this.#parts.manifest.tables[name]?.fields[field];
        return (spec?.kind === "ref" || spec?.kind === "id") && spec.table === table;
      }),
    );
  }

  /** Claims that rules compare with fields: what the rows of the identity's cohort hold there. */
  #tenantClaims(plan: IdentityPlan): Record<string, Json> {
    const claims: Record<string, Json> = {};
    const cohort = plan.kind === "stranger" ? "s" : plan.cohort;
    if (cohort === null) return claims;
    for (const [table, { tenants }] of Object.entries(this.#parts.hints.tables)) {
      for (const [claim, field] of tenants) {
        const value = this.rowsOf(table, cohort)[0]?.[field];
        if (value !== undefined && value !== null && !(claim in claims)) claims[claim] = value;
      }
    }
    return claims;
  }

  /** Rows of a world belong to its first user and its first tenant; parents go round. */
  #isFixed(table: string): boolean {
    return table === "user" || this.#isTenant(table);
  }

  /** The field by which a row belongs to a row of the table: its owner's, or the first that leads there. */
  #firstReference({ name, fields }: TableModel, table: string): string | undefined {
    const owners = this.#parts.hints.tables[name]?.owners;
    const leading = Object.keys(fields).filter((field) => {
      const spec = fields[field];
      return field !== "id" && spec !== undefined && referencesIn(spec).includes(table);
    });
    return leading.find((field) => owners?.has(field) === true) ?? leading[0];
  }

  async #main(table: string, cohort: Cohort, variant: number): Promise<string | null> {
    const known = this.rowsOf(table, cohort);
    if (known.length > 0)
      return String(known[this.#isFixed(table) ? 0 : variant % known.length]?.["id"]);
    const key = `${table} ${cohort}`;
    const model = this.#parts.manifest.tables[table];
    if (model === undefined || this.#making.has(key)) return null;
    this.#making.add(key);
    const row = await this.#plant(model, cohort, 0, {});
    this.#making.delete(key);
    return row === null ? null : String(row["id"]);
  }

  /** Tries values until the app takes a row. */
  async #plant(
    model: TableModel,
    cohort: Cohort,
    variant: number,
    fixed: Draft,
    tries = triesMax,
  ): Promise<Row | null> {
    const { target, world, canaries } = this.#parts;
    let problem = "no values were found that its checks take";
    for (let attempt = 0; attempt < tries; attempt++) {
      const draft = await this.#draft(model, cohort, variant, attempt);
      if (draft === null) return this.#fail(model, "a table that it refers to could not be filled");
      Object.assign(draft, fixed);
      if (!this.#parts.judge.passesChecks(model.name, null, draft)) continue;
      try {
        const row = await target.plant(model.name, draft);
        world.put(model.name, row);
        const key = `${model.name} ${cohort}`;
        this.#rows.set(key, [...(this.#rows.get(key) ?? []), row]);
        canaries.learn(model.name, row, model.fields);
        return row;
      } catch (error) {
        problem = error instanceof Error ? error.message : String(error);
        const details = (error as { readonly details?: unknown }).details;
        if (details !== undefined) problem += ` ${JSON.stringify(details)}`;
      }
    }
    return this.rowsOf(model.name, cohort).length > 0 ? null : this.#fail(model, problem);
  }

  #fail(model: TableModel, problem: string): null {
    this.failed.set(model.name, problem);
    return null;
  }

  async #draft(
    model: TableModel,
    cohort: Cohort,
    variant: number,
    attempt: number,
  ): Promise<Draft | null> {
    const { random, canaries, target, hints, world } = this.#parts;
    const draft: Draft = {};
    for (const [name, spec] of Object.entries(model.fields)) {
      if (name === "id") continue;
      const ids = new Map<string, string | null>();
      for (const table of referencesIn(spec)) {
        const turn = attempt === 0 ? variant : variant + attempt - 1;
        // Two references to one table may have to differ: whoever follows somebody is not followed by themselves.
        const isOther = attempt % 2 === 1 && this.#firstReference(model, table) !== name;
        const from = isOther && this.#isFixed(table) ? otherCohort[cohort] : cohort;
        ids.set(table, await this.#main(table, from, isOther ? turn + 1 : turn));
      }
      const parts = {
        ...{ random, canaries, nowMs: target.nowMs(), variant },
        reference: (table: string) => ids.get(table) ?? null,
      };
      const literals = hints.tables[model.name]?.literals.get(name) ?? [];
      let value = seedValue(spec, parts, attempt > 8);
      if (
        hints.tables[model.name]?.isMembership === true &&
        spec.kind === "oneOf" &&
        literals.length > 0
      ) {
        // What rules name first gives most: the owner of a world has it in the rows that others refer to.
        const values = [...literals, ...spec.values.filter((one) => !literals.includes(one))];
        value = values[variant % values.length] ?? value;
      }
      if (spec.kind === "text" && literals.length > 0)
        value = literals[variant % literals.length] ?? value;
      if (variant % 3 === 2 && typeof value === "number" && isHoldingName(name))
        value = leftOf(spec, value);
      if (value === null && spec.kind === "ref" && spec.optional !== true) return null;
      draft[name] = value;
    }
    for (const field of hints.tables[model.name]?.tenants.values() ?? []) {
      const spec = model.fields[field];
      if (spec !== undefined && field !== "id" && draft[field] !== null)
        draft[field] = tenantValue(spec, cohort, draft[field] ?? null);
    }
    for (const { rule } of attempt > 0 ? model.checks : []) {
      const now = isoNow(target);
      suggest(rule.expr, draft, { row: null, me: {}, now, world, items: {} }, random);
    }
    return draft;
  }
}

const otherCohort = { a: "b", b: "a", s: "a" } as const;

/** What tells the tenants apart where a tenant is a value and not a row. */
function tenantValue(spec: FieldSpec, cohort: Cohort, made: Json): Json {
  const index = { a: 0, b: 1, s: 2 }[cohort];
  if (spec.kind === "text") return `tenant-${cohort}`.slice(0, spec.max);
  if (spec.kind === "int" || spec.kind === "number") return (spec.min ?? 0) + index;
  if (spec.kind === "oneOf") return spec.values[index % spec.values.length] ?? made;
  return made;
}

function isoNow(target: AttackTarget): string {
  // oxlint-disable-next-line no-restricted-globals -- the target's clock, written as text
  return new Date(target.nowMs()).toISOString();
}

/** Nearly used up. */
function leftOf(spec: FieldSpec, made: number): number {
  if (spec.kind !== "int" && spec.kind !== "money" && spec.kind !== "number") return made;
  return Math.min(Math.max(spec.min ?? 0, 0) + 1, spec.max ?? made);
}

function variantCount(model: TableModel, hints: RuleHints): number {
  let count = 2;
  for (const [name, spec] of Object.entries(model.fields)) {
    if (spec.kind === "oneOf") count = Math.max(count, spec.values.length);
    count = Math.max(count, hints.tables[model.name]?.literals.get(name)?.length ?? 0);
  }
  return Math.min(count + 1, variantsMax);
}

function roleValue(model: TableModel, role: string | null): Json {
  const spec = model.fields["role"];
  if (role === null) return null;
  if (spec?.kind === "oneOf" && !spec.values.includes(role)) return spec.values[0] ?? null;
  return role;
}

/** The value that gives least: what is not named by a rule, false, zero. */
function lowest(spec: FieldSpec | undefined, named: readonly Json[] = []): Json {
  if (spec === undefined) return null;
  if (spec.default !== undefined && "value" in spec.default) return spec.default.value;
  if (spec.kind === "bool") return false;
  if (spec.kind === "oneOf")
    return spec.values.find((value) => !named.includes(value)) ?? spec.values.at(-1) ?? null;
  if (spec.kind === "int" || spec.kind === "number" || spec.kind === "money")
    return Math.max(spec.min ?? 0, 0);
  if (spec.optional === true) return null;
  return spec.kind === "text" ? "lowest" : null;
}
