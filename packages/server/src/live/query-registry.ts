// The live queries of one thread: one for all subscriptions that ask the same with the same rights, each filed
// in the index under what its last run read. A query lives as long as somebody watches it.
import type { Watcher, WatchRun } from "../gate/watcher.ts";
import { DependencyIndex, type Indexed } from "./dependency-index.ts";
import type { Touch } from "./dependency.ts";
import type { IndexKeys } from "./index-key.ts";
import { LiveQuery, type LiveQueryPorts, type LiveReads } from "./live-query.ts";
import type { LiveSubscription } from "./live-subscription.ts";
import { queryKey } from "./query-key.ts";
import type { ReadTimes } from "./read-set.ts";
import type { TimeWatches } from "./time-watches.ts";

/** What is filed for a query. */
interface Filed {
  readonly indexed: Indexed<LiveQuery>;
  readonly times: ReadTimes;
}

/** Queries and what they stand on. */
export class QueryRegistry {
  readonly #watcher: Watcher;
  readonly #times: TimeWatches;
  readonly #index: DependencyIndex<LiveQuery>;
  readonly #queries = new Map<string, LiveQuery>();
  readonly #filed = new Map<LiveQuery, Filed>();

  constructor(watcher: Watcher, times: TimeWatches) {
    this.#watcher = watcher;
    this.#times = times;
    this.#index = new DependencyIndex(watcher.app.manifest);
  }

  /** Queries that somebody watches. */
  get size(): number {
    return this.#queries.size;
  }

  /** Places in the index that they take. */
  get dependencies(): number {
    return this.#index.size;
  }

  /** All of them. */
  all(): Iterable<LiveQuery> {
    return this.#queries.values();
  }

  /** Those that have run, with what time does to them. */
  *timed(): Iterable<readonly [query: LiveQuery, times: ReadTimes]> {
    for (const [query, { times }] of this.#filed) yield [query, times];
  }

  /** The query of what is asked, joined by the subscription. */
  join(subscription: LiveSubscription, asked: WatchRun, ports: LiveQueryPorts): LiveQuery {
    const key = queryKey(asked.operation, asked.caller, this.#watcher);
    let query = this.#queries.get(key);
    if (query === undefined) {
      query = new LiveQuery(key, asked, ports);
      this.#queries.set(key, query);
    }
    query.followers.add(subscription);
    return query;
  }

  leave(subscription: LiveSubscription): void {
    const { query } = subscription;
    if (query === null) return;
    query.followers.delete(subscription);
    if (query.followers.size > 0) return;
    query.isClosed = true;
    this.#queries.delete(query.key);
    const filed = this.#filed.get(query);
    this.#filed.delete(query);
    if (filed !== undefined) this.#drop(filed);
  }

  /** Takes up what a run read, in the place of the run before. */
  file(query: LiveQuery, { dependencies, times, now }: LiveReads): void {
    const before = this.#filed.get(query);
    const indexed = this.#index.add(query, dependencies);
    for (const { table, field } of times.fields.values()) this.#times.use(table, field, now);
    if (before !== undefined) this.#drop(before);
    this.#filed.set(query, { indexed, times });
  }

  /** Adds to `into` every query that a change touches. */
  touched(change: Touch, into: Set<LiveQuery>): void {
    this.#index.touched(change, into);
  }

  narrowest(table: string, bounds: readonly IndexKeys[]): IndexKeys {
    return this.#index.narrowest(table, bounds);
  }

  #drop({ indexed, times }: Filed): void {
    this.#index.remove(indexed);
    for (const { table, field } of times.fields.values()) this.#times.release(table, field);
  }
}
