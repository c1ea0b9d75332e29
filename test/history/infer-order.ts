// What does not come from keys: a client does one thing after the other, commits have numbers, and what was answered before
// another was sent came first. For the last two, chains of nodes stand between the operations, so that edges stay as many as these.
import type { Dependency } from "./dependencies.ts";
import { isWrite, type Operation } from "./history.ts";

/** Edges, some of them to nodes from `operations.length` on that are no operations. */
export interface Ordered {
  readonly dependencies: readonly Dependency[];
  /** How many nodes there are, with the operations. */
  readonly nodes: number;
}

/** @returns the order that clients, commit numbers and time give. */
export function inferOrder(operations: readonly Operation[]): Ordered {
  const dependencies: Dependency[] = [];
  const draft: Draft = { operations, dependencies, nodes: operations.length };
  bySession(draft);
  byCommit(draft);
  byTime(draft);
  return { dependencies, nodes: draft.nodes };
}

interface Draft {
  readonly operations: readonly Operation[];
  readonly dependencies: Dependency[];
  nodes: number;
}

/** Those that nobody answered may happen later: they are left out. */
function bySession({ operations, dependencies }: Draft): void {
  const last = new Map<string, number>();
  const places = [...operations.keys()].filter((place) => operations[place]?.outcome === "done");
  const endOf = (place: number): number => operations[place]?.endUs ?? Infinity;
  for (const to of places.toSorted((a, b) => endOf(a) - endOf(b))) {
    const client = operations[to]?.client ?? "";
    const from = last.get(client);
    if (from !== undefined) dependencies.push({ from, to, kind: "session" });
    last.set(client, to);
  }
}

function byCommit(draft: Draft): void {
  const { operations, dependencies } = draft;
  const told = new Map<number, number[]>();
  for (const [place, { commit }] of operations.entries()) {
    if (commit !== null) told.set(commit, [...(told.get(commit) ?? []), place]);
  }
  let before: number | null = null;
  let readers: number[] = [];
  for (const commit of [...told.keys()].toSorted((a, b) => a - b)) {
    const [begin, end] = [draft.nodes, draft.nodes + 1];
    draft.nodes += 2;
    dependencies.push({ from: begin, to: end, kind: "commit" });
    if (before !== null) dependencies.push({ from: before, to: begin, kind: "commit" });
    for (const from of readers) dependencies.push({ from, to: begin, kind: "commit" });
    readers = [];
    for (const place of told.get(commit) ?? []) {
      if (operations[place]?.steps.some(isWrite) === true) {
        dependencies.push({ from: begin, to: place, kind: "commit" });
        dependencies.push({ from: place, to: end, kind: "commit" });
      } else {
        dependencies.push({ from: end, to: place, kind: "commit" });
        readers.push(place);
      }
    }
    before = end;
  }
}

function byTime(draft: Draft): void {
  const { operations, dependencies } = draft;
  const events: { us: number; place: number; isEnd: boolean }[] = [];
  for (const [place, { startUs, endUs, outcome }] of operations.entries()) {
    if (startUs !== null) events.push({ us: startUs, place, isEnd: false });
    if (endUs !== null && outcome === "done") events.push({ us: endUs, place, isEnd: true });
  }
  // What ends in the moment in which another begins does not come before it.
  events.sort((a, b) => a.us - b.us || Number(a.isEnd) - Number(b.isEnd));
  let ended: number[] = [];
  let before: number | null = null;
  for (const { place, isEnd } of events) {
    if (isEnd) {
      ended.push(place);
      continue;
    }
    if (ended.length > 0) {
      const node = draft.nodes++;
      for (const from of ended) dependencies.push({ from, to: node, kind: "time" });
      if (before !== null) dependencies.push({ from: before, to: node, kind: "time" });
      before = node;
      ended = [];
    }
    if (before !== null) dependencies.push({ from: before, to: place, kind: "time" });
  }
}
