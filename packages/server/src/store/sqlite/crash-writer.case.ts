// A process that writes groups until it is killed: `node crash-writer.case.ts <path> <first>`. Mutation
// `i` carries the key `k<i>`, inserts node `i` and raises a counter. The last index of each durable group
// goes to stdout, one line each, after the commit and never before.
import { writeSync } from "node:fs";
import { limits } from "../../base/limits.ts";
import { idOf, metaOf, rowOf, storeTables } from "../store.fixture.ts";
import type { Row } from "../store.ts";
import { openSqliteStore } from "./sqlite-store.ts";

/** The row whose `price` counts the mutations that happened. */
export const counterId: string = idOf("screening", 0);

function main(path: string, first: number): void {
  const store = openSqliteStore({ path, manifest: { tables: storeTables }, limits });
  let next = first;
  for (;;) {
    const group = store.openGroup();
    const last = next + (next % 7);
    for (let index = next; index <= last; index++) {
      const idempotency = { scope: "s", key: `k${index}`, requestHash: "h" };
      const outcome = group.mutate(metaOf({ idempotency }), (tx) => {
        tx.insert("node", rowOf("node", index, { name: "x".repeat(index % 3_000) }));
        const counter = tx.get("screening", counterId, null) as Row;
        tx.update("screening", counterId, { price: Number(counter["price"]) + 1 });
        return String(index);
      });
      if (outcome instanceof Promise || outcome.kind === "failed") throw new Error("not written");
    }
    group.commit();
    writeSync(1, `${last}\n`);
    next = last + 1;
  }
}

if (import.meta.main) main(process.argv[2] ?? "", Number(process.argv[3]));
