// Writes at the tables' own doors: rows and fields of others, owners forged, rows moved, rights raised, states
// skipped, prices chosen, fields that nobody may write. Every request is undone after it was looked at.
import type { Json } from "../../base/json.ts";
import type { TableModel } from "../../model/manifest.ts";
import type { Row } from "../../store/store.ts";
import type { Identity } from "./identity-plan.ts";
import type { MatrixBook } from "./matrix-book.ts";
import { probeRepeat } from "./probe-repeat.ts";
import { seedValue } from "./seed-value.ts";
import { isAuthorityState, isPrivilegeName } from "./sensitive-name.ts";
import type { AttackSession, Observation } from "./session.ts";
import { suggest, type Draft } from "./value-search.ts";

const searchesMax = 80;
const rowsPerWorld = 3;

/** A change that is wanted, and why. */
interface Intent {
  readonly probe: string;
  readonly forced: Draft;
  /** The field that the matrix counts it for. */
  readonly field: string | null;
}

/** Probes creating as one identity. */
export async function probeCreates(
  session: AttackSession,
  matrix: MatrixBook,
  by: Identity,
  model: TableModel,
): Promise<void> {
  let isRepeated = false;
  for (const intent of createIntents(session, by, model)) {
    const { draft, allowed } = searchCreate(session, by, model, intent.forced);
    if (draft === null) continue;
    const seen = await session.ask(by, {
      ...{ probe: intent.probe, method: "POST", path: `/api/tables/${model.name}` },
      about: { kind: "table", table: model.name, operation: "create" },
      body: openFields(model, draft),
    });
    matrix.count(seen, model.name, "create");
    if (seen.isOk && by.kind === "anonymous" && seen.probe.body !== undefined) {
      session.anonymousCreates.set(model.name, seen.probe.body);
    }
    unexpected(session, seen, model.name, allowed);
    if (seen.isOk && !isRepeated) {
      isRepeated = true;
      await probeRepeat(session, by, model.name, openFields(model, draft));
    }
  }
  await closedFields(session, by, model);
}

/** Probes changing and deleting as one identity. */
export async function probeChanges(
  session: AttackSession,
  matrix: MatrixBook,
  by: Identity,
  model: TableModel,
): Promise<void> {
  for (const row of targets(session, by, model)) {
    for (const intent of updateIntents(session, by, model, row)) {
      const patch = searchPatch(session, by, model, row, intent.forced);
      const next: Row = { ...row, ...patch };
      const given = Object.keys(patch);
      const allowed = session.judge.updates(by.me, model.name, { row, next, given });
      const seen = await session.ask(by, {
        ...{
          probe: intent.probe,
          method: "PATCH",
          path: `/api/tables/${model.name}/${String(row["id"])}`,
        },
        about: { kind: "table", table: model.name, operation: "update" },
        body: patch,
      });
      matrix.count(seen, model.name, "update", intent.field);
      unexpected(session, seen, model.name, allowed);
    }
    const seen = await session.ask(by, {
      ...{
        probe: "delete",
        method: "DELETE",
        path: `/api/tables/${model.name}/${String(row["id"])}`,
      },
      about: { kind: "table", table: model.name, operation: "delete" },
    });
    const allowed = session.judge.deletes(by.me, model.name, row);
    // A row that others refer to stays; but rights are asked before, so this caller has passed them.
    const isPassed = seen.isOk || seen.code === "REF_IN_USE";
    matrix.count({ ...seen, isOk: isPassed }, model.name, "delete");
    if (seen.code === "REF_IN_USE" && !allowed) {
      session.findings.add({
        ...{ code: "A301", subject: model.name, aspect: "delete", fields: [], by },
        ...{ request: seen.request, status: seen.answer.status },
        says: `${by.name} may not delete this row of ${model.name}, and is told that others refer to it`,
      });
    }
    unexpected(session, { ...seen, isOk: isPassed }, model.name, allowed);
  }
}

/** The server refuses what the judge allows: one of them is wrong, or another promise stood against it. */
function unexpected(
  session: AttackSession,
  seen: Observation,
  table: string,
  allowed: boolean,
): void {
  if (!allowed || seen.isOk || seen.answer.status === 409 || seen.answer.status >= 500) return;
  if (
    seen.code === "CHECK_FAILED" ||
    seen.code === "VALUE_INVALID" ||
    seen.code === "FIELD_IMMUTABLE"
  )
    return;
  session.inconclusive(
    table,
    `the judge allows ${seen.by.name} ${seen.probe.probe}, the server answers ${seen.answer.status} ${seen.code ?? ""}`,
  );
}

/** Rows to try: of both worlds, in as many states as there are. */
function targets(session: AttackSession, by: Identity, model: TableModel): readonly Row[] {
  const { name } = model;
  const live = (rows: readonly Row[]): readonly Row[] => session.world.live(name, rows);
  const all = session.world.rows(name);
  const own = all.filter((row) => session.isOwn(by, name, row)).slice(0, rowsPerWorld + 1);
  const a = live(session.planted.rowsOf(name, "a"));
  const b = live(session.planted.rowsOf(name, "b"));
  const others = by.cohort === "b" ? a : b;
  const mine = by.cohort === "b" ? b : a;
  const some =
    all.length > 0 && own.length + mine.length + others.length === 0 ? all.slice(0, 2) : [];
  // The last one too: the row of a member of another's world is planted at the end.
  const spread = (rows: readonly Row[]): readonly Row[] => [
    ...rows.slice(0, rowsPerWorld - 1),
    ...rows.slice(-1),
  ];
  const picked = [...own, ...spread(mine), ...spread(others), ...some];
  return [...new Map(picked.map((row) => [row["id"], row])).values()];
}

function createIntents(session: AttackSession, by: Identity, model: TableModel): readonly Intent[] {
  const intents: Intent[] = [{ probe: "create", forced: {}, field: null }];
  const hints = session.hints.tables[model.name];
  if (hints === undefined) return intents;
  const other = otherUser(session, by);
  const owners = [...hints.owners].filter((field) => field !== "id");
  if (owners.length > 0 && other !== null) {
    const forced = Object.fromEntries(owners.map((field) => [field, other]));
    intents.push({ probe: "create in another's name", forced, field: null });
  }
  const otherCohort = by.cohort === "b" ? "a" : "b";
  for (const [field, spec] of Object.entries(model.fields)) {
    const isParent = hints.parents.has(field) || hints.isMembership;
    if (spec.kind !== "ref" || spec.table === "user" || !isParent) continue;
    const parent = session.planted.rowsOf(spec.table, otherCohort)[0]?.["id"];
    const forced: Draft = { [field]: parent ?? null };
    if (hints.isMembership && by.user !== null) for (const owner of owners) forced[owner] = by.user;
    intents.push({ probe: "create under another's parent", forced, field: null });
  }
  for (const [claim, field] of hints.tenants) {
    const value = session.planted.rowsOf(model.name, otherCohort)[0]?.[field];
    if (value !== undefined && value !== by.me[claim]) {
      intents.push({ probe: "create in another tenant", forced: { [field]: value }, field: null });
    }
  }
  return [...intents, ...raising(session, model, null, by)];
}

function updateIntents(
  session: AttackSession,
  by: Identity,
  model: TableModel,
  row: Row,
): readonly Intent[] {
  const { name } = model;
  const hints = session.hints.tables[name];
  const intents: Intent[] = [];
  const other = otherUser(session, by);
  const parts = valueParts(session, by, session.random.int(0, 5));
  for (const [field, spec] of Object.entries(model.fields)) {
    if (field === "id") continue;
    const isOwner = hints?.owners.has(field) === true;
    if (isOwner && other !== null) {
      intents.push({ probe: "give a row away", forced: { [field]: other }, field });
      if (by.user !== null && row[field] !== by.user) {
        intents.push({ probe: "take a row over", forced: { [field]: by.user }, field });
      }
      continue;
    }
    if (spec.kind === "ref") {
      const otherCohort = by.cohort === "b" ? "a" : "b";
      const target = session.planted.rowsOf(spec.table, otherCohort)[0]?.["id"];
      if (target !== undefined)
        intents.push({ probe: "move a row", forced: { [field]: target }, field });
      continue;
    }
    if (spec.kind === "oneOf") {
      for (const value of spec.values.slice(0, 8)) {
        if (value !== row[field])
          intents.push({ probe: "update", forced: { [field]: value }, field });
      }
      continue;
    }
    let value = seedValue(spec, parts, true);
    if (spec.kind === "bool") value = row[field] !== true;
    intents.push({ probe: "update", forced: { [field]: value }, field });
  }
  for (const [claim, field] of hints?.tenants ?? []) {
    const otherCohort = row[field] === session.planted.rowsOf(name, "b")[0]?.[field] ? "a" : "b";
    const value = session.planted.rowsOf(name, otherCohort)[0]?.[field];
    if (value !== undefined && claim !== "")
      intents.push({ probe: "move to another tenant", forced: { [field]: value }, field });
  }
  intents.push(...raising(session, model, row, by));
  intents.push({
    probe: "update id",
    forced: { id: `${String(row["id"]).slice(0, -26)}01890a5dac96774bbcceb30209` },
    field: null,
  });
  return intents;
}

/** Every value that would give more: rights that rules look at, states that others decide, prices. */
function raising(
  session: AttackSession,
  model: TableModel,
  row: Row | null,
  by: Identity,
): readonly Intent[] {
  const hints = session.hints.tables[model.name];
  const intents: Intent[] = [];
  for (const [field, spec] of Object.entries(model.fields)) {
    if (field === "id" || spec.kind === "ref" || spec.kind === "id") continue;
    const values: Json[] = [];
    if (hints?.privileges.has(field) === true || isPrivilegeName(field)) {
      values.push(...(hints?.literals.get(field) ?? []));
      if (field === "role") values.push(...session.hints.roles);
      values.push(...(session.hints.claims.get(field) ?? []));
      if (spec.kind === "bool") values.push(true);
      if (spec.kind === "int" || spec.kind === "money" || spec.kind === "number")
        values.push(Math.min(spec.max ?? 999_999, 999_999));
      if (spec.kind === "oneOf") values.push(...spec.values);
    }
    if (spec.kind === "oneOf") values.push(...spec.values.filter(isAuthorityState));
    if (spec.kind === "bool" && isAuthorityState(field)) values.push(true);
    if (spec.kind === "money") values.push(Math.max(spec.min ?? 0, 0), 1);
    for (const value of new Set(values)) {
      if (row !== null && row[field] === value) continue;
      const forced: Draft = { [field]: value };
      // In one's own name: whoever raises rights raises their own.
      if (row === null && by.user !== null)
        for (const owner of hints?.owners ?? []) if (owner !== "id") forced[owner] = by.user;
      intents.push({ probe: row === null ? "create with more" : "raise", forced, field });
    }
  }
  return intents;
}

/** A user who is somebody else, whose row the identity may refer to if there is one. */
function otherUser(session: AttackSession, by: Identity): string | null {
  const others = session.people.filter(
    ({ user, kind }) => user !== null && user !== by.user && kind === "owner",
  );
  return (by.cohort === "a" ? others.at(-1) : others[0])?.user ?? null;
}

function valueParts(session: AttackSession, by: Identity, variant: number) {
  const { random, canaries, target, world, judge } = session;
  const cohort = by.cohort ?? "a";
  return {
    ...{ random, canaries, nowMs: target.nowMs(), variant },
    reference(table: string): string | null {
      if (table === "user" && by.user !== null && random.next() < 0.8) return by.user;
      const own = session.planted.rowsOf(table, cohort);
      const readable = world.rows(table).filter((row) => judge.readsRow(by.me, table, row));
      const from = random.next() < 0.6 && own.length > 0 ? own : readable;
      return from.length === 0
        ? ((own[0]?.["id"] as string | undefined) ?? null)
        : String(random.pick(from)["id"]);
    },
  };
}

/** A row that the rules let the identity create, or at least one that the table takes. */
function searchCreate(
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

function searchPatch(
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

/** Unknown, private and immutable fields, and an id of the caller's own: refused, and nothing written. */
async function closedFields(
  session: AttackSession,
  by: Identity,
  model: TableModel,
): Promise<void> {
  const { draft } = searchCreate(session, by, model, {});
  if (draft === null) return;
  const closed: Draft = {
    id: `${model.name}_01890a5dac96774bbcceb30209`,
    isAdmin: true,
    ownerId: by.user,
    createdBy: by.user,
    unknownField: 1,
  };
  const parts = valueParts(session, by, 0);
  for (const [field, spec] of Object.entries(model.fields)) {
    if (spec.private === true) closed[field] = seedValue(spec, parts, true);
  }
  for (const [field, value] of Object.entries(closed)) {
    if (field !== "id" && model.fields[field] !== undefined && model.fields[field].private !== true)
      continue;
    const seen = await session.ask(by, {
      ...{ probe: "mass assignment", method: "POST", path: `/api/tables/${model.name}` },
      about: { kind: "table", table: model.name, operation: "create" },
      body: { ...openFields(model, draft), [field]: value },
    });
    if (!seen.isOk) continue;
    session.findings.add({
      ...{
        code: "A306",
        subject: model.name,
        aspect: field,
        fields: [field],
        by,
        request: seen.request,
      },
      status: seen.answer.status,
      says: `create takes ${field}, which callers may not set`,
    });
  }
}

function openFields(model: TableModel, draft: Draft): Draft {
  return Object.fromEntries(
    Object.entries(draft).filter(([field, value]) => {
      const spec = model.fields[field];
      return field !== "id" && spec?.private !== true && value !== undefined;
    }),
  );
}

function nowText(session: AttackSession): string {
  // oxlint-disable-next-line no-restricted-globals -- the target's clock, written as text
  return new Date(session.target.nowMs()).toISOString();
}
