// What is tried with writes at a table's own doors: rows in the name of others, rows moved, rights raised, states skipped,
// prices chosen. What else must stand in a row for that is found by draft-search.ts.
import type { Json } from "../../base/json.ts";
import type { TableModel } from "../../model/manifest.ts";
import type { Row } from "../../store/store.ts";
import { valueParts } from "./draft-search.ts";
import type { Identity } from "./identity-plan.ts";
import { seedValue } from "./seed-value.ts";
import { isAuthorityState, isPrivilegeName } from "./sensitive-name.ts";
import type { AttackSession } from "./session.ts";
import type { Draft } from "./value-search.ts";

/** A change that is wanted, and why. */
interface WriteIntent {
  readonly probe: string;
  readonly forced: Draft;
  /** The field that the matrix counts it for. */
  readonly field: string | null;
}

/** What an identity tries with new rows. The first is an ordinary one. */
export function createIntents(
  session: AttackSession,
  by: Identity,
  model: TableModel,
): readonly WriteIntent[] {
  const intents: WriteIntent[] = [{ probe: "create", forced: {}, field: null }];
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

/** What an identity tries with a row that is there. */
export function updateIntents(
  session: AttackSession,
  by: Identity,
  model: TableModel,
  row: Row,
): readonly WriteIntent[] {
  const { name } = model;
  const hints = session.hints.tables[name];
  const intents: WriteIntent[] = [];
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
): readonly WriteIntent[] {
  const hints = session.hints.tables[model.name];
  const intents: WriteIntent[] = [];
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
