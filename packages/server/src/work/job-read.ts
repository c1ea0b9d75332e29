// How the dispatcher reads what waits: lane by lane, in bounded pages, each by the index and nothing else.
import { andThen, type Later } from "../base/later.ts";
import type { FieldCondition, Where } from "../model/query-form.ts";
import type { ReadTx } from "../store/store.ts";
import { jobOfRow, type Job } from "./job.ts";

/** Where reading a lane goes on. */
export interface LaneMark {
  readonly place: number;
  readonly id: string;
}

const byLane = [
  { field: "lane", descending: false },
  { field: "place", descending: false },
] as const;
const byPlace = [{ field: "place", descending: false }] as const;
const byId = [{ field: "id", descending: false }] as const;

/** The first job of the lanes in a range, or null. */
export function firstJob(tx: ReadTx, lane: FieldCondition): Later<Job | null> {
  const where: Where = { kind: "field", field: "lane", condition: lane };
  const found = tx.list({ kind: "list", from: "workJob", where, orderBy: byLane, limit: 1 }, null);
  return andThen(found, ({ rows }) => (rows[0] === undefined ? null : jobOfRow(rows[0])));
}

/** Jobs of a lane after a mark, in order. */
export function jobsOfLane(
  tx: ReadTx,
  lane: string,
  { after, limit }: { readonly after: LaneMark | null; readonly limit: number },
): Later<readonly Job[]> {
  const page = (place: FieldCondition | null, id: FieldCondition | null, count: number) => {
    const parts: Where[] = [{ kind: "field", field: "lane", condition: { eq: lane } }];
    if (place !== null) parts.push({ kind: "field", field: "place", condition: place });
    if (id !== null) parts.push({ kind: "field", field: "id", condition: id });
    const orderBy = id === null ? byPlace : byId;
    const where: Where = { kind: "and", parts };
    return andThen(
      tx.list({ kind: "list", from: "workJob", where, orderBy, limit: count }, null),
      ({ rows }) => rows.map(jobOfRow),
    );
  };
  if (after === null) return page(null, null, limit);
  // Jobs of one moment share a place: first what is left of them.
  return andThen(page({ eq: after.place }, { gt: after.id }, limit), (same) => {
    if (same.length === limit) return same;
    const rest = page({ gt: after.place }, null, limit - same.length);
    return andThen(rest, (rest) => [...same, ...rest]);
  });
}
