// A store whose groups are seen by somebody else on their way.
import { andThen } from "../base/later.ts";
import type { CommitGroup, Store } from "./store.ts";

/** @param wrap makes the group that is given out. @returns the same store in everything else. */
export function withGroups(store: Store, wrap: (group: CommitGroup) => CommitGroup): Store {
  return {
    engine: store.engine,
    durability: store.durability,
    read: (body) => store.read(body),
    openGroup: () => andThen(store.openGroup(), wrap),
    commitsAfter: (seq, limit) => store.commitsAfter(seq, limit),
    lastSeq: () => store.lastSeq(),
    prune: (nowMs) => store.prune(nowMs),
    plans: () => store.plans(),
    backup: (target) => store.backup(target),
    close: () => store.close(),
  };
}
