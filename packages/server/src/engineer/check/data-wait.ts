// Check of migrations that keep everybody waiting: an index that is made, a table that is copied, a search that is
// filled, over so many rows that the new version answers nobody meanwhile.
import type { AppReview } from "./app-review.ts";

/** From so many rows on it is said: below, it is over before anybody asks again. */
const rowsMany = 50_000;
/** Rows that are indexed or copied in a second, roughly, on a small server. */
const rowsPerSecond = 250_000;

/** Looks at the pending migration's safe steps. The others are told by what they lose or what stops them. */
export function checkWaits(review: AppReview): void {
  const { pending, rows } = review.input;
  if (rows === null) return;
  for (const step of pending) {
    if (step.kind !== "safe") continue;
    const work = /^(create index|change column|rebuild table|search) (\w+)/.exec(step.name);
    const table = work?.[2] ?? "";
    const count = rows.get(table) ?? 0;
    if (count < rowsMany) continue;
    review.say("K505", review.tableAt(table), {
      says: `Deploying this goes through all ${count.toLocaleString("en-US")} rows of ${table} (${step.name}) before anybody is answered.`,
      evidence: [
        step.text,
        `about ${Math.max(1, Math.round(count / rowsPerSecond))} s on a small server; writes and reads wait`,
      ],
      fix: "// Deploy it when few people are there, alone, after keelson backup; keelson migrate shows the steps.",
    });
  }
}
