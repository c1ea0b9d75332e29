// The naive twin of the engines: everything in memory, every state copied whole. What the others are
// compared with, and an engine for tests of higher floors. Nothing survives the process.
import { assert } from "../../base/assert.ts";
import { isLater, type Later } from "../../base/later.ts";
import type { Limits } from "../../base/limits.ts";
import { PlatformError } from "../../base/platform-error.ts";
import type { Manifest } from "../../model/manifest.ts";
import { withPlatformTables } from "../../model/platform-tables.ts";
import { ChangeSet } from "../change-set.ts";
import type {
  Commit,
  CommitGroup,
  MutationMeta,
  MutationOutcome,
  PlanEvidence,
  ReadTx,
  Store,
  WriteTx,
} from "../store.ts";
import { layoutOf, type StoreLayout } from "../table-layout.ts";
import { MemoryReadTx } from "./memory-read-tx.ts";
import { copyState, lastSeqOf, type LoggedCommit, type MemoryState } from "./memory-state.ts";
import { MemoryWriteTx } from "./memory-write-tx.ts";

/** Opens an empty store. */
export function openMemoryStore(options: {
  readonly manifest: Pick<Manifest, "tables" | "platform">;
  readonly limits: Limits;
}): MemoryStore {
  return new MemoryStore(layoutOf(withPlatformTables(options.manifest).tables), options.limits);
}

/** A store in memory. */
export class MemoryStore implements Store {
  readonly engine = "memory";
  readonly durability = "none";
  readonly #layout: StoreLayout;
  readonly #limits: Limits;
  #state: MemoryState;
  #isGroupOpen = false;

  constructor(layout: StoreLayout, limits: Limits) {
    this.#layout = layout;
    this.#limits = limits;
    this.#state = { tables: new Map([...layout.keys()].map((name) => [name, new Map()])), log: [] };
  }

  read<T>(body: (tx: ReadTx) => Later<T>): Later<T> {
    const state = this.#state;
    return body(new MemoryReadTx(this.#layout, this.#limits, () => state));
  }

  openGroup(): CommitGroup {
    assert(!this.#isGroupOpen, "one group is open at a time");
    this.#isGroupOpen = true;
    return new MemoryGroup(this.#layout, this.#limits, copyState(this.#state), (state) => {
      this.#isGroupOpen = false;
      if (state !== null) this.#state = state;
    });
  }

  commitsAfter(seq: number, limit: number): readonly Commit[] {
    return this.#state.log
      .map((logged) => logged.commit)
      .filter((commit) => commit.seq > seq)
      .slice(0, limit);
  }

  lastSeq(): number {
    return lastSeqOf(this.#state);
  }

  prune(nowMs: number): number {
    const { log, tables } = this.#state;
    const expired = (logged: LoggedCommit, keptMs: number) => logged.commit.atMs < nowMs - keptMs;
    const fresh = (from: number, keptMs: number) => {
      const index = log.findIndex((logged, at) => at >= from && !expired(logged, keptMs));
      return index === -1 ? log.length : index;
    };
    const { commitLogMs, idempotencyMs } = this.#limits;
    const kept = Math.min(
      fresh(0, Math.max(commitLogMs, idempotencyMs)),
      Math.max(0, log.length - 1),
    );
    const keyed = fresh(0, this.#limits.idempotencyMs);
    const forgotten = log.slice(kept, keyed).filter((logged) => logged.idempotency !== null);
    const left = log.slice(kept).map((logged, index): LoggedCommit => {
      return index + kept < keyed ? { ...logged, idempotency: null, answer: "" } : logged;
    });
    this.#state = { tables, log: left };
    return kept + forgotten.length;
  }

  plans(): readonly PlanEvidence[] {
    return [];
  }

  backup(): Promise<void> {
    return Promise.reject(new PlatformError("STORE_FAILED", { problem: "nothing to copy" }));
  }

  close(): void {}
}

class MemoryGroup implements CommitGroup {
  readonly #limits: Limits;
  readonly #tx: MemoryWriteTx;
  readonly #end: (state: MemoryState | null) => void;
  readonly #commits: Commit[] = [];
  #state: MemoryState;
  #phase: "open" | "mutating" | "ended" = "open";

  constructor(
    layout: StoreLayout,
    limits: Limits,
    state: MemoryState,
    end: (state: MemoryState | null) => void,
  ) {
    this.#limits = limits;
    this.#state = state;
    this.#end = end;
    this.#tx = new MemoryWriteTx(layout, limits, () => this.#state);
  }

  mutate(meta: MutationMeta, body: (tx: WriteTx) => Later<string>): Later<MutationOutcome> {
    assert(this.#phase === "open", "mutations of a group run one after the other");
    const earlier = this.#earlier(meta);
    if (earlier !== null) return earlier;
    const before = copyState(this.#state);
    const changes = new ChangeSet();
    const fail = (error: unknown): MutationOutcome => {
      this.#state = before;
      this.#settle();
      return { kind: "failed", error };
    };
    this.#phase = "mutating";
    this.#tx.begin(changes);
    try {
      const answer = body(this.#tx);
      if (!isLater(answer)) return this.#finish(meta, changes, answer);
      return answer.then((text) => this.#finish(meta, changes, text), fail);
    } catch (error) {
      return fail(error);
    }
  }

  commit(): readonly Commit[] {
    assert(this.#phase === "open", "a group commits once, between mutations");
    this.#phase = "ended";
    this.#end(this.#state);
    return this.#commits;
  }

  abort(): void {
    if (this.#phase === "ended") return;
    this.#phase = "ended";
    this.#end(null);
  }

  #earlier({ idempotency, atMs }: MutationMeta): MutationOutcome | null {
    if (idempotency === null) return null;
    const { log } = this.#state;
    const index = log.findIndex(
      (logged) =>
        logged.idempotency?.scope === idempotency.scope &&
        logged.idempotency.key === idempotency.key,
    );
    const found = log[index];
    if (found === undefined) return null;
    if (atMs - found.commit.atMs > this.#limits.idempotencyMs) {
      log[index] = { ...found, idempotency: null, answer: "" };
      return null;
    }
    if (found.idempotency?.requestHash !== idempotency.requestHash) {
      return { kind: "failed", error: new PlatformError("IDEMPOTENCY_KEY_REUSED") };
    }
    return { kind: "repeated", answer: found.answer, seq: found.commit.seq };
  }

  #finish(meta: MutationMeta, changes: ChangeSet, answer: string): MutationOutcome {
    this.#settle();
    const changed = changes.changes();
    if (changed.length === 0 && meta.idempotency === null) {
      return { kind: "done", answer, commit: null };
    }
    const { by, cause, requestId, atMs, idempotency } = meta;
    const seq = lastSeqOf(this.#state) + 1;
    const commit: Commit = { seq, atMs, by, cause, requestId, changes: changed };
    this.#state.log.push({ commit, idempotency, answer });
    this.#commits.push(commit);
    return { kind: "done", answer, commit };
  }

  #settle(): void {
    this.#tx.begin(null);
    this.#phase = "open";
  }
}
