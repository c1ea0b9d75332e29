// The whole of a memory store at one moment. Copied in full wherever a state must stay as it is: slow, and
// plainly right.
import type { Commit, MutationMeta, Row } from "../store.ts";

/** A commit with what its key brought. */
export interface LoggedCommit {
  readonly commit: Commit;
  readonly idempotency: MutationMeta["idempotency"];
  readonly answer: string;
}

export interface MemoryState {
  readonly tables: ReadonlyMap<string, Map<string, Row>>;
  readonly log: LoggedCommit[];
}

/** A state that can change on its own. */
export function copyState(state: MemoryState): MemoryState {
  return {
    tables: new Map([...state.tables].map(([name, rows]) => [name, new Map(rows)])),
    log: [...state.log],
  };
}

/** The newest sequence number; 0 when there is none. */
export function lastSeqOf(state: MemoryState): number {
  return state.log.at(-1)?.commit.seq ?? 0;
}
