// Cycles of a graph of dependencies: none of the operations on one can have been the first.
import type { Dependency, DependencyKind } from "./dependencies.ts";

/** A graph. Nodes from `operations` on only stand between others. */
export interface DependencyGraph {
  readonly dependencies: readonly Dependency[];
  readonly operations: number;
  readonly nodes: number;
}

/** How many edges are tried as the only one of kind `rw` of a cycle. */
const triesMax = 200;

/**
 * A short cycle of each part in which all come before all, through edges of these kinds: without `rw` edges where there is one,
 * else with one, else with as many as it takes.
 */
export function findCycles(
  { dependencies, operations, nodes }: DependencyGraph,
  kinds: ReadonlySet<DependencyKind>,
): Dependency[][] {
  const edges = edgesFrom(
    dependencies.filter(({ kind }) => kinds.has(kind)),
    nodes,
  );
  const part = componentOf(edges);
  const parts = new Map<number, Dependency[]>();
  for (const edge of edges.flat()) {
    const name = part[edge.from] ?? -1;
    if (name !== part[edge.to]) continue;
    const inside = parts.get(name);
    if (inside === undefined) parts.set(name, [edge]);
    else inside.push(edge);
  }
  return [...parts.values()].flatMap((inside) => {
    const cycle = cycleIn(inside, { operations, nodes });
    return cycle === null ? [] : [cycle];
  });
}

interface Size {
  readonly operations: number;
  readonly nodes: number;
}

function cycleIn(edges: readonly Dependency[], size: Size): Dependency[] | null {
  const isRw = ({ kind }: Dependency): boolean => kind === "rw";
  const certain = edgesFrom(
    edges.filter((edge) => !isRw(edge)),
    size.nodes,
  );
  const all = edgesFrom(edges, size.nodes);
  const starts = edges.filter(({ from }) => from < size.operations);
  const tries = [
    { first: starts.filter((edge) => !isRw(edge)), rest: certain },
    { first: starts.filter(isRw), rest: certain },
    { first: starts, rest: all },
  ];
  for (const { first, rest } of tries) {
    let best: Dependency[] | null = null;
    for (const edge of first.slice(0, triesMax)) {
      const back = shortestPath(rest, edge, size);
      if (back === null) continue;
      const length = [edge, ...back].filter(({ from }) => from < size.operations).length;
      const bestLength = best?.filter(({ from }) => from < size.operations).length ?? Infinity;
      if (length < bestLength) best = [edge, ...back];
    }
    if (best !== null) return best;
  }
  return null;
}

/** The way back from where an edge leads, over as few operations as can be; the nodes between cost nothing. */
function shortestPath(
  edges: readonly (readonly Dependency[])[],
  { from: goal, to: start }: Dependency,
  { operations }: Size,
): Dependency[] | null {
  const cameBy = new Map<number, Dependency | null>([[start, null]]);
  let near = [start];
  let far: number[] = [];
  while (near.length > 0) {
    const node = near.pop() ?? 0;
    if (node === goal) break;
    for (const edge of edges[node] ?? []) {
      if (cameBy.has(edge.to)) continue;
      cameBy.set(edge.to, edge);
      (edge.to < operations ? far : near).push(edge.to);
    }
    if (near.length === 0) [near, far] = [far, []];
  }
  if (!cameBy.has(goal)) return null;
  const path: Dependency[] = [];
  for (let edge = cameBy.get(goal) ?? null; edge !== null; edge = cameBy.get(edge.from) ?? null) {
    path.unshift(edge);
  }
  return path;
}

function edgesFrom(dependencies: readonly Dependency[], nodes: number): Dependency[][] {
  const edges: Dependency[][] = Array.from({ length: nodes }, () => []);
  for (const dependency of dependencies) edges[dependency.from]?.push(dependency);
  return edges;
}

/** Tarjan, SIAM Journal on Computing 1972, without recursion. @returns the part of each node. */
function componentOf(edges: readonly (readonly Dependency[])[]): Int32Array {
  const nodes = edges.length;
  const [index, low, part] = [0, 1, 2].map(() => new Int32Array(nodes).fill(-1)) as [
    Int32Array,
    Int32Array,
    Int32Array,
  ];
  const open: number[] = [];
  let counted = 0;
  for (let root = 0; root < nodes; root++) {
    if (index[root] !== -1) continue;
    const work = [{ node: root, at: 0 }];
    while (work.length > 0) {
      const place = work.at(-1) as { node: number; at: number };
      const { node } = place;
      if (place.at === 0) {
        index[node] = low[node] = counted++;
        open.push(node);
      }
      const edge = edges[node]?.[place.at++];
      if (edge !== undefined) {
        const { to } = edge;
        if (index[to] === -1) work.push({ node: to, at: 0 });
        else if (part[to] === -1) low[node] = Math.min(low[node] ?? 0, index[to] ?? 0);
        continue;
      }
      work.pop();
      const above = work.at(-1)?.node;
      if (above !== undefined) low[above] = Math.min(low[above] ?? 0, low[node] ?? 0);
      if (low[node] !== index[node]) continue;
      for (let member = -1; member !== node;) {
        member = open.pop() ?? node;
        part[member] = node;
      }
    }
  }
  return part;
}
