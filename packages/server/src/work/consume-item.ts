// What consumers are given: an event, or a change of a table that they follow.
import type { ConsumerSpec } from "@keelson/sdk/spec";
import type { Json } from "../base/json.ts";
import { timeText } from "../gate/gate-app.ts";
import type { WorkOrigin } from "../gate/work-origin.ts";
import type { Change, Commit } from "../store/store.ts";
import type { WorkEvent } from "./event-write.ts";
import type { Job } from "./job.ts";
import { lastIndex, placeOf } from "./place-number.ts";
import { originOfCommit } from "./work-submit.ts";

/** Something to consume. Plain data: changes come from the dispatcher, which reads the log. */
export interface Item {
  readonly place: number;
  readonly key: string | null;
  /** All that the function could take. */
  readonly given: { readonly [field: string]: Json };
  readonly me: Job["me"];
  readonly origin: WorkOrigin;
  /** What it is called in a chain: `event booking.paid`. */
  readonly label: string;
}

/** What an event has for its consumers. */
export function eventItem({ place, key, payload, me, origin, name }: WorkEvent): Item {
  return { place, key, given: payload, me, origin, label: `event ${name}` };
}

/** What a commit has for a consumer of changes. */
export function changeItems(
  commit: Commit,
  { table, changes = [] }: ConsumerSpec,
): readonly Item[] {
  const origin = originOfCommit(commit);
  return commit.changes.flatMap((change, index): readonly Item[] => {
    if (change.table !== table) return [];
    const kind = kindOfChange(change);
    if (!changes.includes(kind)) return [];
    const { id, before, after } = change;
    return [
      {
        place: placeOf(commit.seq, Math.min(index, lastIndex - 1)),
        key: id,
        given: { id, change: kind, before, after, at: timeText(commit.atMs) },
        me: null,
        origin,
        label: `${kind} of ${table}`,
      },
    ];
  });
}

function kindOfChange({ before, after }: Change): "create" | "update" | "delete" {
  if (before === null) return "create";
  return after === null ? "delete" : "update";
}
