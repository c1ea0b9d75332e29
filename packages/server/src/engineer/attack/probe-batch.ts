// The batch as a side door: what a table's own door refuses must be refused as a step of a batch, alone and
// behind a step that is allowed; and a batch that is refused leaves nothing behind.
import type { Json } from "../../base/json.ts";
import type { Identity } from "./identity-plan.ts";
import type { AttackSession } from "./session.ts";

/** Probes rows of others through batches. @returns true: every app has them. */
export async function probeBatches(session: AttackSession): Promise<boolean> {
  for (const by of session.people) {
    for (const table of Object.keys(session.judge.manifest.tables)) {
      for (const cohort of ["a", "b"] as const) {
        const planted = session.planted.rowsOf(table, cohort)[0];
        const row = planted === undefined ? null : session.world.row(table, String(planted["id"]));
        if (row !== null) await probeRow(session, by, table, row);
      }
    }
  }
  return true;
}

async function probeRow(
  session: AttackSession,
  by: Identity,
  table: string,
  row: Readonly<Record<string, Json>>,
): Promise<void> {
  const { judge } = session;
  const id = String(row["id"]);
  const steps: readonly (readonly [probe: string, step: Json, allowed: boolean | null])[] = [
    ["batch get", { get: table, id }, judge.readsRow(by.me, table, row)],
    ["batch list", { list: table, query: { limit: 100 } }, null],
    ["batch delete", { delete: table, id }, judge.deletes(by.me, table, row)],
    ["batch with", { get: table, id, query: {} }, judge.readsRow(by.me, table, row)],
  ];
  for (const [probe, step, allowed] of steps) {
    for (const steps of [[step], [step, step]]) {
      const seen = await session.ask(by, {
        ...{ probe, method: "POST", path: "/api/batch" },
        about: { kind: "table", table, operation: probe === "batch delete" ? "delete" : "read" },
        body: { steps },
      });
      if (allowed !== false) continue;
      const wasNull =
        seen.isOk &&
        seen.answer.text
          .replace(/[[\]\s]/g, "")
          .split(",")
          .every((part) => part === "null");
      if (seen.isOk && !(wasNull && seen.changes.length === 0)) {
        session.findings.add({
          ...{ code: "A301", subject: table, aspect: probe, fields: [], by, request: seen.request },
          status: seen.answer.status,
          says: `${probe} does for ${by.name} what the rules of ${table} deny`,
        });
      }
      if (!seen.isOk && seen.changes.length > 0) {
        session.findings.add({
          ...{
            code: "A301",
            subject: table,
            aspect: "half a batch",
            fields: [],
            by,
            request: seen.request,
          },
          status: seen.answer.status,
          says: `a refused batch on ${table} left changes behind`,
        });
      }
    }
  }
}
