// Writes at the tables' own doors: everything of write-intent.ts, deletes, and fields that nobody may write. Every request
// is undone after it was looked at.
import type { TableModel } from "../../model/manifest.ts";
import type { Row } from "../../store/store.ts";
import { openFields, searchCreate, searchPatch, valueParts } from "./draft-search.ts";
import type { Identity } from "./identity-plan.ts";
import type { MatrixBook } from "./matrix-book.ts";
import { probeRepeat } from "./probe-repeat.ts";
import { seedValue } from "./seed-value.ts";
import type { AttackSession, Observation } from "./session.ts";
import type { Draft } from "./value-search.ts";
import { createIntents, updateIntents } from "./write-intent.ts";

const rowsPerWorld = 3;

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
