// A query that somebody watches, once for all who ask the same with the same rights. States: it stands on its
// last run until a commit touches what that run read (`dirtyFrom`); then it is run again when one of its
// subscriptions moves. Runs of one query are one after the other, in the order of their snapshots.
// Invariant: a version that `versionAt(tx)` gives is the answer at tx.seq.
import { createHash } from "node:crypto";
import { andThen, isLater, recover, type Later } from "../base/later.ts";
import { PlatformError } from "../base/platform-error.ts";
import { timeText } from "../gate/gate-app.ts";
import type { Watcher, WatchRun } from "../gate/watcher.ts";
import type { ReadTx } from "../store/store.ts";
import type { Dependency } from "./dependency.ts";
import { livePatch } from "./live-patch.ts";
import { ReadSet, type ReadSetParts, type ReadTimes } from "./read-set.ts";

/** One answer. Subscriptions that were sent it hold it, so that the next can come as a patch. */
export class LiveVersion {
  /** JSON text; null when there is none because of `error`. */
  readonly json: string | null;
  readonly error: PlatformError | null;
  readonly hash: string;
  /** Of `json`, as it is sent. */
  readonly bytes: number;
  #patches: WeakMap<LiveVersion, { readonly text: string | null }> | null = null;

  constructor(json: string | null, error: PlatformError | null) {
    this.json = json;
    this.error = error;
    this.bytes = json === null ? 0 : Buffer.byteLength(json);
    const text = json ?? `${error?.code ?? ""} ${JSON.stringify(error?.details ?? null)}`;
    this.hash = createHash("sha1").update(text).digest("base64url").slice(0, 16);
  }

  /** How a client comes from `before` to this; null when it is to be sent whole. Worked out once. */
  patchFrom(before: LiveVersion): string | null {
    if (this.json === null || before.json === null) return null;
    this.#patches ??= new WeakMap();
    let patch = this.#patches.get(before);
    if (patch === undefined) {
      patch = { text: livePatch(before.json, this.json) };
      this.#patches.set(before, patch);
    }
    return patch.text;
  }

  isSame(other: LiveVersion): boolean {
    return (this.json === null) === (other.json === null) && this.hash === other.hash;
  }
}

/** What a query needs of the hub. */
export interface LiveQueryPorts {
  readonly watcher: Watcher;
  readonly reads: ReadSetParts;
  /**
   * A run has ended that stood on `seq`: files what it read.
   * @returns the first commit after `seq` that touched it already; Infinity when none did.
   */
  filed(query: LiveQuery, read: LiveReads, seq: number): number;
}

/** What a run read. */
export interface LiveReads {
  /** The time of the run, or a little before: RFC 3339. */
  readonly now: string;
  readonly dependencies: readonly Dependency[];
  readonly times: ReadTimes;
}

/** Whoever watches a query. */
export interface LiveFollower {
  /** It may have another answer now. */
  touched(): void;
}

/** A watched query. */
export class LiveQuery {
  readonly key: string;
  readonly followers = new Set<LiveFollower>();
  /** The first commit since the last run that touched it; 0: it must be run; Infinity: it stands. */
  dirtyFrom = 0;
  /** Nobody watches it any more. */
  isClosed = false;
  readonly #asked: WatchRun;
  readonly #ports: LiveQueryPorts;
  #version: LiveVersion | null = null;
  #last: Promise<unknown> | null = null;
  /** Whether its time came after its last run began: that run may have looked at the clock before. */
  #isLate = false;

  constructor(key: string, asked: WatchRun, ports: LiveQueryPorts) {
    this.key = key;
    this.#asked = asked;
    this.#ports = ports;
  }

  get requestId(): string {
    return this.#asked.requestId;
  }

  /** A commit touches it. */
  touchedAt(seq: number): void {
    this.dirtyFrom = Math.min(this.dirtyFrom, seq);
    for (const follower of this.followers) follower.touched();
  }

  /** Its rules may say something else from now on. */
  timeCame(): void {
    this.#isLate = true;
    this.touchedAt(0);
  }

  /** The answer at this snapshot. Asked for in the order of snapshots. */
  versionAt(tx: ReadTx): Later<LiveVersion> {
    const { seq } = tx;
    if (this.#last === null) {
      const version = this.#current(tx, seq);
      if (isLater(version)) this.#follow(version);
      return version;
    }
    const next = this.#last.then(() => this.#current(tx, seq));
    this.#follow(next);
    return next;
  }

  #follow(run: Promise<LiveVersion>): void {
    const ended = () => {
      if (this.#last === last) this.#last = null;
    };
    const last: Promise<void> = run.then(ended, ended);
    this.#last = last;
  }

  #current(tx: ReadTx, seq: number): Later<LiveVersion> {
    if (this.#version !== null && this.dirtyFrom > seq) return this.#version;
    return this.#run(tx, seq);
  }

  #run(tx: ReadTx, seq: number): Later<LiveVersion> {
    const { watcher, reads } = this.#ports;
    const set = new ReadSet(reads);
    this.#isLate = false;
    const now = timeText(watcher.app.clock.nowMs());
    const asked = this.#version === null ? this.#asked : { ...this.#asked, again: true };
    const ran = recover<LiveVersion>(
      () => andThen(watcher.run(tx, asked, set), (json) => new LiveVersion(json, null)),
      (error) => new LiveVersion(null, asRefusal(error)),
    );
    return andThen(ran, (version) => {
      const read = { ...set.finish(), now };
      // The same answer stays the same object: whoever was sent it is sent nothing.
      if (this.#version?.isSame(version) !== true) this.#version = version;
      const touchedAt = this.isClosed ? 0 : this.#ports.filed(this, read, seq);
      this.dirtyFrom = this.#isLate ? 0 : touchedAt;
      return this.#version ?? version;
    });
  }
}

function asRefusal(error: unknown): PlatformError {
  return error instanceof PlatformError
    ? error
    : new PlatformError("INTERNAL", {}, { cause: error });
}
