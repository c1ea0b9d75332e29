// One client that watches the bank in four ways at once: whatever mixes two moments, misses one or goes back in time
// shows in the sums.
import type { SceneClient } from "./live-scene.ts";

/** What a watcher has seen. */
export interface BankWatch {
  /** The tally's value that was shown last. */
  readonly last: number;
  /** How often all of it was looked at. */
  readonly looks: number;
  stop(): void;
}

/** Watches. @param sum of all balances, at all times. @param problem told of what can't be. */
export function watchBank(
  api: SceneClient,
  sum: number,
  problem: (text: string) => void,
): BankWatch {
  const list = api.account.list({ orderBy: "number" }).store();
  const summary = api.bank.summary().store();
  const count = api.entry.count({ where: { name: "t" } }).store();
  const tally = api.tally.first({ where: { name: "t" } }).store();
  let last = 0;
  let looks = 0;
  const look = () => {
    const rows = list.getSnapshot().data;
    const sums = summary.getSnapshot().data;
    const entries = count.getSnapshot().data;
    const value = tally.getSnapshot().data?.value;
    if (rows === undefined || sums === undefined) return;
    looks++;
    const shown = rows.reduce((total, { balance }) => total + balance, 0);
    if (shown !== sum) problem(`the list's sum is ${shown}`);
    if (sums.sum !== shown) problem(`summary says ${sums.sum}, the list ${shown}`);
    if (sums.entries !== entries || sums.value !== value || entries !== value) {
      problem(`${sums.entries} and ${entries} entries, ${sums.value} and ${value} counted`);
    }
    if (sums.value < last) problem(`${sums.value} after ${last}`);
    last = sums.value;
  };
  const stops = [list, summary, count, tally].map((store) => store.subscribe(look));
  return {
    get last() {
      return last;
    },
    get looks() {
      return looks;
    },
    stop: () => {
      for (const stop of stops) stop();
    },
  };
}
