// Finds rows and changes that the rules let an identity write, or at least ones that the table takes: drawn, bent towards
// what rules and checks ask, and held against the judge.
import type { TableModel } from "../../model/manifest.ts";
import type { Row } from "../../store/store.ts";
import type { Identity } from "./identity-plan.ts";
import { seedValue } from "./seed-value.ts";
import type { AttackSession } from "./session.ts";
import { suggest, type Draft } from "./value-search.ts";

const searchesMax = 80;

/** A row that the rules let the identity create, or at least one that the table takes. */
export function searchCreate(
  session: AttackSession,
  by: Identity,
  model: TableModel,
  forced: Draft,
): { readonly draft: Draft | null; readonly allowed: boolean } {
  const { judge, random } = session;
  const now = nowText(session);
  const scene = { row: null, me: by.me, now, world: session.world, items: {} };
  let valid: Draft | null = null;
  let last: Draft | null = null;
  for (let search = 0; search < searchesMax; search++) {
    const parts = valueParts(session, by, random.int(0, 5));
    const draft: Draft = {};
    for (const [field, spec] of Object.entries(model.fields)) {
      if (field === "id" || spec.private === true) continue;
      const initial = spec.default;
      if (initial !== undefined && search % 2 === 0) {
        const moment = spec.kind === "date" ? now.slice(0, 10) : now;
        draft[field] = "value" in initial ? initial.value : moment;
      } else draft[field] = seedValue(spec, parts, search % 3 !== 0);
    }
    Object.assign(draft, forced);
    // Twice: an equality may speak of a field that a later one sets.
    for (let round = 0; round < 2; round++) {
      if (model.rules.create !== undefined) suggest(model.rules.create.expr, draft, scene, random);
      for (const { rule } of model.checks) suggest(rule.expr, draft, scene, random);
      Object.assign(draft, forced);
    }
    last = draft;
    if (!judge.passesChecks(model.name, null, draft) || taken(session, model, draft)) continue;
    valid ??= draft;
    const given = Object.keys(openFields(model, draft));
    if (
      judge.creates(by.me, model.name, {
        row: null,
        next: draft,
        given: writable(session, by, model, draft, given),
      })
    ) {
      const kept = writable(session, by, model, draft, given);
      const asked = Object.fromEntries(
        Object.entries(draft).filter(([field]) => kept.includes(field)),
      );
      return { draft: asked, allowed: true };
    }
  }
  return { draft: valid ?? last, allowed: false };
}

/** A change that does what is forced and that the rules let through; what is forced alone when none was found. */
export function searchPatch(
  session: AttackSession,
  by: Identity,
  model: TableModel,
  row: Row,
  forced: Draft,
): Draft {
  const { judge, random } = session;
  const fits = (patch: Draft): boolean => {
    const next: Row = { ...row, ...patch };
    if (!judge.passesChecks(model.name, row, next)) return false;
    return judge.updates(by.me, model.name, { row, next, given: Object.keys(patch) });
  };
  if (fits(forced) || model.rules.update === undefined) return forced;
  const scene = { row, me: by.me, now: nowText(session), world: session.world, items: {} };
  for (let search = 0; search < 8; search++) {
    const draft: Draft = { ...row, ...forced };
    suggest(model.rules.update.expr, draft, scene, random);
    const patch: Draft = { ...forced };
    for (const [field, value] of Object.entries(draft)) {
      const spec = model.fields[field];
      if (field === "id" || spec === undefined || spec.immutable === true || spec.private === true)
        continue;
      if (JSON.stringify(value) !== JSON.stringify(row[field] ?? null))
        patch[field] = forced[field] ?? value;
    }
    if (fits(patch)) return patch;
  }
  return forced;
}

/** Fields with a default or none needed that the identity may not set are left out. */
function writable(
  session: AttackSession,
  by: Identity,
  model: TableModel,
  draft: Draft,
  given: readonly string[],
): string[] {
  return given.filter((field) => {
    const spec = model.fields[field];
    const rule = model.rules.fields[field]?.write;
    if (rule === undefined || (spec?.default === undefined && spec?.optional !== true)) return true;
    return session.judge.holds(rule, by.me, null, draft);
  });
}

/** Whether a unique constraint stands against it. Filters of partial ones are not looked at. */
function taken(session: AttackSession, model: TableModel, draft: Draft): boolean {
  const rows = session.world.rows(model.name);
  const sets = model.indexes.filter(({ unique }) => unique === true).map(({ fields }) => fields);
  for (const [field, spec] of Object.entries(model.fields))
    if (spec.unique === true) sets.push([field]);
  return sets.some((fields) =>
    rows.some((row) => fields.every((field) => row[field] !== null && row[field] === draft[field])),
  );
}

/** What of a draft callers may send. */
export function openFields(model: TableModel, draft: Draft): Draft {
  return Object.fromEntries(
    Object.entries(draft).filter(([field, value]) => {
      const spec = model.fields[field];
      return field !== "id" && spec?.private !== true && value !== undefined;
    }),
  );
}

/** What values of an identity are drawn from: rows that are theirs, or that they can see. */
export function valueParts(session: AttackSession, by: Identity, variant: number) {
  const { random, canaries, target, world, judge } = session;
  const cohort = by.cohort ?? "a";
  return {
    ...{ random, canaries, nowMs: target.nowMs(), variant },
    reference(table: string): string | null {
      if (table === "user" && by.user !== null && random.next() < 0.8) return by.user;
      const own = world.live(table, session.planted.rowsOf(table, cohort));
      const readable = world.rows(table).filter((row) => judge.readsRow(by.me, table, row));
      const from = random.next() < 0.6 && own.length > 0 ? own : readable;
      return from.length === 0
        ? ((own[0]?.["id"] as string | undefined) ?? null)
        : String(random.pick(from)["id"]);
    },
  };
}

function nowText(session: AttackSession): string {
  // oxlint-disable-next-line no-restricted-globals -- the target's clock, written as text
  return new Date(session.target.nowMs()).toISOString();
}
