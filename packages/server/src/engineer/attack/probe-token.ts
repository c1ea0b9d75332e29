// Tokens of every wrong kind: each must be refused with 401 where the right one is let in.
import type { AttackSession } from "./session.ts";

/** Probes tokens. The positive control is the same request with the right token. */
export async function probeTokens(session: AttackSession): Promise<void> {
  const by = session.people.find(({ kind }) => kind === "owner");
  const table = Object.values(session.judge.manifest.tables).find(({ rules }) => rules.read)?.name;
  const fn = Object.values(session.judge.manifest.functions).find(
    ({ allow }) => allow !== "nobody",
  );
  if (by === undefined || by.user === null) return;
  const path = table === undefined ? `/api/fn/${fn?.name ?? ""}` : `/api/tables/${table}?limit=1`;
  if (table === undefined) return;
  const probe = { method: "GET", path, about: { kind: "other", name: "identity" } } as const;
  const control = await session.ask(by, { ...probe, probe: "right token" });
  if (control.answer.status === 401) {
    session.inconclusive(
      "identity",
      "the right token is refused, so refusals of wrong ones say nothing",
    );
    return;
  }
  const { role, user } = by;
  const claims = Object.fromEntries(
    Object.entries(by.me).filter(([claim]) => claim !== "id" && claim !== "role"),
  );
  for (const { kind, authorization } of await session.target.badTokens({ user, role, claims })) {
    const seen = await session.ask(by, {
      ...probe,
      probe: "bad token",
      headers: { authorization },
    });
    if (seen.answer.status === 401) continue;
    if (seen.answer.status >= 400) {
      session.inconclusive(
        "identity",
        `a token that is ${kind} is refused with ${seen.answer.status}`,
      );
      continue;
    }
    session.findings.add({
      ...{ code: "A303", subject: "identity", aspect: kind, fields: [], by: null },
      ...{ request: seen.request, status: seen.answer.status },
      says: `a token that is ${kind} is taken`,
    });
  }
}
