// Repeats with an Idempotency-Key: the same write is done once, another write under the key is refused, and nobody
// gets the answer that somebody else's key remembers.
import type { Json } from "../../base/json.ts";
import type { Identity } from "./identity-plan.ts";
import type { AttackSession, Observation, Probe } from "./session.ts";

/** Probes one write that worked. @param body of a create that the rules of the table let through. */
export async function probeRepeat(
  session: AttackSession,
  by: Identity,
  table: string,
  body: Readonly<Record<string, Json>>,
): Promise<void> {
  const key = `attack-${session.random.letters(12)}`;
  const probe: Probe = {
    ...{ probe: "repeat", method: "POST", path: `/api/tables/${table}`, body },
    about: { kind: "table", table, operation: "create" },
    headers: { "idempotency-key": key },
  };
  const first = await session.askAndKeep(by, probe);
  const kept = [...first.changes];
  try {
    if (!first.isOk) return;
    const second = await session.askAndKeep(by, probe);
    kept.push(...second.changes);
    if (second.changes.length > 0 || second.answer.text !== first.answer.text)
      found(session, second, table, "does a write again that was sent again under one key");
    const other = await session.askAndKeep(by, {
      ...probe,
      probe: "repeat with another body",
      body: { ...body, id: null },
    });
    kept.push(...other.changes);
    if (other.isOk) found(session, other, table, "takes another write under a key that was used");
    for (const stranger of session.people) {
      if (stranger.user === by.user) continue;
      // What the rules give them with this body is judged elsewhere; here only whose answer comes back.
      const replayed = await session.askAndKeep(stranger, {
        ...{ ...probe, probe: "repeat as another" },
        about: { kind: "other", name: table },
      });
      kept.push(...replayed.changes);
      if (replayed.isOk && replayed.answer.text === first.answer.text)
        found(session, replayed, table, `gives ${stranger.name} what ${by.name}'s key remembers`);
    }
  } finally {
    await session.undo(kept);
  }
}

function found(session: AttackSession, seen: Observation, table: string, says: string): void {
  session.findings.add({
    ...{ code: "A301", subject: table, aspect: seen.probe.probe, fields: [], by: seen.by },
    ...{ request: seen.request, status: seen.answer.status },
    says: `${table} ${says}`,
  });
}
