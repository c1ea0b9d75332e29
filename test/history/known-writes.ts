// Who wrote which value, and which of those that nobody was answered happened all the same: those of which something was seen.
import { isWrite, told, type Operation, type Violation } from "./history.ts";
import { outsideReads, type OutsideReads } from "./read-outside.ts";

/** A history, looked through once. */
export interface KnownWrites {
  readonly operations: readonly Operation[];
  /** By operation, what it saw of others. Empty for those that were not answered. */
  readonly reads: readonly OutsideReads["reads"][];
  /** The operation that appends, writes or adds a value of a key; undefined: none. */
  writerOf(key: string, value: number): number | undefined;
  /** Those that remove a value from a set. */
  removersOf(key: string, value: number): readonly number[];
  /** Whether anybody saw a value of a key. */
  isSeen(key: string, value: number): boolean;
  /** Whether it is known to have happened. */
  happened(operation: number): boolean;
  /** A violation, with the operations that show it. @param key what it is about. */
  violation(name: string, what: string, key: string, ...places: readonly number[]): Violation;
  readonly violations: readonly Violation[];
}

export function knownWrites(operations: readonly Operation[]): KnownWrites {
  const writers = new Map<string, number>();
  const removers = new Map<string, number[]>();
  const violations: Violation[] = [];
  const reads: OutsideReads["reads"][] = [];
  for (const [place, operation] of operations.entries()) {
    const outside = operation.outcome === "done" ? outsideReads(operation) : null;
    reads.push(outside?.reads ?? []);
    violations.push(...(outside?.violations ?? []));
    for (const step of operation.steps) {
      if (!isWrite(step)) continue;
      const name = `${step.key} ${step.value}`;
      if (step.kind !== "remove") writers.set(name, place);
      else removers.set(name, [...(removers.get(name) ?? []), place]);
    }
  }
  const happened = new Set<number>();
  const seen = new Set<string>();
  for (const [place, { outcome }] of operations.entries()) {
    if (outcome === "done") happened.add(place);
    for (const { key, value } of seenValues(reads[place] ?? [])) {
      seen.add(`${key} ${value}`);
      const writer = writers.get(`${key} ${value}`);
      if (writer !== undefined) happened.add(writer);
    }
  }
  return {
    operations,
    reads,
    writerOf: (key, value) => writers.get(`${key} ${value}`),
    removersOf: (key, value) => removers.get(`${key} ${value}`) ?? [],
    isSeen: (key, value) => seen.has(`${key} ${value}`),
    happened: (place) => happened.has(place) && operations[place]?.outcome !== "refused",
    violation: (name, what, key, ...places) => {
      const shown = [...new Set(places)].flatMap((place) => operations[place] ?? []);
      const lines = shown.map((operation) => told(operation, [key]));
      return { name, text: [what, ...lines].join("\n  ") };
    },
    violations,
  };
}

/** Values that somebody saw. */
export function seenValues(reads: OutsideReads["reads"]): { key: string; value: number }[] {
  return reads.flatMap((read) => {
    if (read.kind === "secret") return [];
    if (read.kind === "register") {
      return read.value === null ? [] : [{ key: read.key, value: read.value }];
    }
    return read.values.map((value) => ({ key: read.key, value }));
  });
}
