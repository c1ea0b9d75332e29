// What identity no longer needs goes, a little at a time, so that the writer serves others in between.
import type { Clock } from "../base/clock.ts";
import { anonymous } from "../gate/identity.ts";
import { startWork } from "../gate/work.ts";
import type { Writer } from "../gate/writer.ts";

const roundsMax = 10_000;

/** Drops sessions, tickets and events that are over (auth/account/upkeep.ts). @returns how many rows went. */
export async function sweepAuth(writer: Pick<Writer, "submit">, clock: Clock): Promise<number> {
  let dropped = 0;
  for (let round = 0; round < roundsMax; round++) {
    const atMs = clock.nowMs();
    const { json } = await writer.submit(
      {
        operation: { kind: "procedure", name: "auth.sweep", input: null },
        caller: anonymous,
        authority: "system",
        lane: "identity",
        cause: "auth.sweep",
        requestId: "upkeep",
        atMs,
        idempotency: null,
      },
      startWork(),
    );
    const { rows, isMore } = JSON.parse(json) as { readonly rows: number; isMore: boolean };
    dropped += rows;
    if (!isMore) break;
  }
  return dropped;
}
