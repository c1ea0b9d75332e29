// Intervals of one field's values, and which of them hold a value: a treap by lower end, each node knowing the
// highest upper end below it (Cormen et al., "Introduction to Algorithms", interval trees). Equal intervals are
// one node. Finding k of n costs about log n + k steps.
import { compareValues } from "../store/memory/where-match.ts";

/** A value that intervals are of: all of one index are of the same type. */
export type IntervalValue = string | number;

/** From `low` to `high`, both in it. Null: without end. */
export interface Interval {
  readonly low: IntervalValue | null;
  readonly high: IntervalValue | null;
}

interface Node<Item> {
  readonly interval: Interval;
  readonly items: Set<Item>;
  /** Smaller than those of all nodes below. */
  readonly priority: number;
  left: Node<Item> | null;
  right: Node<Item> | null;
  /** The highest upper end of this node and those below. */
  reach: IntervalValue | null;
}

/** Items by interval. */
export class IntervalIndex<Item> {
  #root: Node<Item> | null = null;
  #seed = 0x9e3779b9;
  #size = 0;

  /** How many items there are. */
  get size(): number {
    return this.#size;
  }

  add(interval: Interval, item: Item): void {
    this.#root = this.#added(this.#root, interval, item);
  }

  delete(interval: Interval, item: Item): void {
    this.#root = this.#deleted(this.#root, interval, item);
  }

  /** Visits the items of every interval that `value` is in. */
  visit(value: IntervalValue, found: (items: ReadonlySet<Item>) => void): void {
    visitNode(this.#root, value, found);
  }

  /** Visits all items. */
  visitAll(found: (items: ReadonlySet<Item>) => void): void {
    visitNode(this.#root, null, found);
  }

  #added(node: Node<Item> | null, interval: Interval, item: Item): Node<Item> {
    if (node === null) {
      this.#size += 1;
      return {
        interval,
        items: new Set([item]),
        priority: this.#nextPriority(),
        left: null,
        right: null,
        reach: interval.high,
      };
    }
    const order = compareIntervals(interval, node.interval);
    if (order === 0) {
      if (!node.items.has(item)) this.#size += 1;
      node.items.add(item);
      return node;
    }
    const side = order < 0 ? "left" : "right";
    const child = this.#added(node[side], interval, item);
    node[side] = child;
    if (child.priority < node.priority) return raised(node, side);
    node.reach = reachOf(node);
    return node;
  }

  #deleted(node: Node<Item> | null, interval: Interval, item: Item): Node<Item> | null {
    if (node === null) return null;
    const order = compareIntervals(interval, node.interval);
    if (order === 0) {
      if (node.items.delete(item)) this.#size -= 1;
      return node.items.size > 0 ? node : joined(node.left, node.right);
    }
    const side = order < 0 ? "left" : "right";
    node[side] = this.#deleted(node[side], interval, item);
    node.reach = reachOf(node);
    return node;
  }

  /** Only has to be unlike the order of the intervals: a xorshift (Marsaglia 2003). */
  #nextPriority(): number {
    let seed = this.#seed;
    seed ^= seed << 13;
    seed ^= seed >>> 17;
    seed ^= seed << 5;
    this.#seed = seed;
    return seed;
  }
}

/** @param value null: any. */
function visitNode<Item>(
  node: Node<Item> | null,
  value: IntervalValue | null,
  found: (items: ReadonlySet<Item>) => void,
): void {
  if (node === null) return;
  if (value !== null && node.reach !== null && compareValues(node.reach, value) < 0) return;
  visitNode(node.left, value, found);
  const { low, high } = node.interval;
  // Everything to the right begins after the value, too.
  if (value !== null && low !== null && compareValues(low, value) > 0) return;
  if (value === null || high === null || compareValues(high, value) >= 0) found(node.items);
  visitNode(node.right, value, found);
}

/** The child of a node in its place. */
function raised<Item>(node: Node<Item>, side: "left" | "right"): Node<Item> {
  const other = side === "left" ? "right" : "left";
  const child = node[side];
  if (child === null) return node;
  node[side] = child[other];
  child[other] = node;
  node.reach = reachOf(node);
  child.reach = reachOf(child);
  return child;
}

/** Two neighbours as one tree: all of `left` stands before all of `right`. */
function joined<Item>(left: Node<Item> | null, right: Node<Item> | null): Node<Item> | null {
  if (left === null) return right;
  if (right === null) return left;
  if (left.priority < right.priority) {
    left.right = joined(left.right, right);
    left.reach = reachOf(left);
    return left;
  }
  right.left = joined(left, right.left);
  right.reach = reachOf(right);
  return right;
}

function reachOf<Item>({ interval, left, right }: Node<Item>): IntervalValue | null {
  let reach = interval.high;
  for (const child of [left, right]) {
    if (reach === null) return null;
    if (child === null) continue;
    if (child.reach === null || compareValues(child.reach, reach) > 0) reach = child.reach;
  }
  return reach;
}

/** One without a lower end stands before all others, one without an upper end after those that begin with it. */
function compareIntervals(a: Interval, b: Interval): number {
  const order = compareValues(a.low, b.low);
  if (order !== 0) return order;
  if (a.high === null || b.high === null) return Number(a.high === null) - Number(b.high === null);
  return compareValues(a.high, b.high);
}
