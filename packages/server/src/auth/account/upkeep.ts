// What identity writes on its own: that a session or key was used, and that what is over goes.
import { timeText } from "../../gate/gate-app.ts";
import type { ProcedureScope } from "../../gate/gate-app.ts";
import { msOfTime, timeOfMs } from "../../model/field-time.ts";
import type { AuthProcedure } from "../auth-desk.ts";

/** Rows of one kind that go at once: the writer has others to serve. */
const sweptMax = 500;

/** Notes that a session or key is in use; a session's end moves on. @param input its id. */
export const noteUsed: AuthProcedure<{ readonly id: string }, null> = {
  name: "auth.noteUsed",
  async run(scope, { id }) {
    const { run, tx } = scope;
    const now = timeText(run.nowMs);
    if (id.startsWith("auth_key_")) {
      if ((await tx.get("authKey", id, null)) !== null)
        await tx.update("authKey", id, { lastUsedAt: now });
      return null;
    }
    const session = await tx.get("authSession", id, null);
    if (session === null || (session["expiresAt"] as string) <= now) return null;
    const endsMs = msOfTime(session["endsAt"] as string);
    const expiresAt = timeOfMs(Math.min(endsMs, run.nowMs + run.app.limits.authSessionIdleMs));
    await tx.update("authSession", id, { seenAt: now, expiresAt });
    return null;
  },
};

/** Drops what is over: sessions, tickets, old events. @returns how many rows went, and whether there are more. */
const sweepAuth: AuthProcedure<null, { readonly rows: number; readonly isMore: boolean }> = {
  name: "auth.sweep",
  async run(scope) {
    const { nowMs } = scope.run;
    const { authEventMs } = scope.run.app.limits;
    const now = timeText(nowMs);
    const dropped = [
      await sweep(scope, "authSession", "endsAt", now),
      await sweep(scope, "authTicket", "expiresAt", now),
      await sweep(scope, "authEvent", "at", timeOfMs(nowMs - authEventMs)),
    ];
    const rows = dropped.reduce((sum, count) => sum + count, 0);
    return { rows, isMore: dropped.includes(sweptMax) };
  },
};

async function sweep(
  { tx }: ProcedureScope,
  table: string,
  field: string,
  before: string,
): Promise<number> {
  const { rows } = await tx.list(
    {
      kind: "list",
      from: table,
      where: { kind: "field", field, condition: { lt: before } },
      orderBy: [
        { field, descending: false },
        { field: "id", descending: false },
      ],
      limit: sweptMax,
    },
    null,
  );
  for (const row of rows) await tx.delete(table, row["id"] as string);
  return rows.length;
}

/** Their procedures. */
export const upkeepProcedures = [noteUsed, sweepAuth] as const;
