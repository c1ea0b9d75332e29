// The usual name of what a cycle shows.
import type { Dependency } from "./dependencies.ts";
import type { Operation } from "./history.ts";

/** @param cycle edges that end where the first begins. */
export function nameCycle(operations: readonly Operation[], cycle: readonly Dependency[]): string {
  const on = cycle.flatMap(({ from }) => operations[from] ?? []);
  const kinds = new Set(cycle.map(({ kind }) => kind));
  const shown = on.filter(({ kind }) => kind === "shown");
  if (shown.length > 0) return nameShown(shown, kinds);
  const isOrdered = kinds.has("session") || kinds.has("commit") || kinds.has("time");
  if (!isOrdered) return nameIsolation(cycle, kinds);
  const readers = cycle.flatMap(({ from, kind }) =>
    kind === "rw" ? (operations[from] ?? []) : [],
  );
  if (kinds.has("commit")) return "wrong-commit";
  if (readers.length === 0) return "write-order";
  const clients = new Set(on.map(({ client }) => client));
  if (readers.length > 1) return "not-serializable-in-time";
  if (kinds.has("session") && !kinds.has("time")) {
    return kinds.has("wr") ? "monotonic-reads" : "read-your-writes";
  }
  return clients.size === 1 ? "read-your-writes" : "stale-read";
}

function nameIsolation(cycle: readonly Dependency[], kinds: ReadonlySet<string>): string {
  const readings = cycle.filter(({ kind }) => kind === "rw").length;
  if (readings === 0) return kinds.has("wr") ? "G1c circular-information" : "G0 dirty-write";
  const isOneKey = new Set(cycle.map(({ key }) => key)).size === 1;
  if (readings === 1 && !kinds.has("wr") && isOneKey) return "lost-update";
  return readings === 1 ? "G-single read-skew" : "G2 write-skew";
}

function nameShown(shown: readonly Operation[], kinds: ReadonlySet<string>): string {
  if (shown.some(({ startUs }) => startUs !== null)) return "live-missed";
  if (kinds.has("commit")) return "live-wrong-commit";
  if (kinds.has("session")) return "live-backward";
  return kinds.has("time") ? "stale-after-live" : "live-mixed";
}
