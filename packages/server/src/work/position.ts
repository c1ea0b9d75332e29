// How far a consumer has come: one row for each, in the same transaction as what it did.
import { createHash } from "node:crypto";
import { andThen, type Later } from "../base/later.ts";
import { typeIdOfUuid } from "../base/type-id.ts";
import type { ProcedureScope } from "../gate/gate-app.ts";
import type { ReadTx } from "../store/store.ts";

/** The id of a consumer's row: follows from its name. */
export function positionId(consumer: string): string {
  const hex = createHash("sha256").update(consumer).digest("hex");
  return typeIdOfUuid("work_position", hex.slice(0, 32));
}

/** The place of the last that it dealt with, or null when it never began. */
export function readPosition(tx: ReadTx, consumer: string): Later<number | null> {
  return andThen(tx.get("workPosition", positionId(consumer), null), (row) =>
    row === null ? null : (row["place"] as number),
  );
}

/** Moves it. */
export function writePosition(
  { tx }: Pick<ProcedureScope, "tx">,
  consumer: string,
  place: number,
): Later<void> {
  const id = positionId(consumer);
  return andThen(tx.get("workPosition", id, null), (row) => {
    if (row === null) return tx.insert("workPosition", { id, consumer, place, info: {} });
    if (row["place"] === place) return undefined;
    return andThen(tx.update("workPosition", id, { place }), () => undefined);
  });
}
