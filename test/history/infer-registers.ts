// Registers: whoever sets one and is told what it was knows the version before. Of one that was set blindly the place among the
// versions follows from the times and commits of both, where these tell.
import type { Dependency, Inferred } from "./dependencies.ts";
import type { Violation } from "./history.ts";
import { wrongValue } from "./infer-lists.ts";
import { isBefore } from "./is-before.ts";
import type { KnownWrites } from "./known-writes.ts";

interface RegisterWrite {
  readonly writer: number;
  readonly value: number;
  /** The value before, when it is known; undefined: it is not. */
  readonly before: number | null | undefined;
}

/** @returns dependencies through registers, and what the reads show by themselves. */
export function inferRegisters(known: KnownWrites): Inferred {
  const dependencies: Dependency[] = [];
  const violations: Violation[] = [];
  const written = writesByKey(known);
  for (const [key, writes] of written)
    inferWrites({ known, key, writes, dependencies, violations });
  for (const [reader, reads] of known.reads.entries()) {
    for (const read of reads) {
      if (read.kind !== "register") continue;
      const { key, value } = read;
      const writes = written.get(key) ?? [];
      const wrong = value === null ? null : wrongValue(known, key, value, reader);
      if (wrong !== null) violations.push(wrong);
      const own = writes.find(({ value: each }) => each === value);
      if (own !== undefined && own.writer !== reader) {
        dependencies.push({ from: own.writer, to: reader, kind: "wr", key });
      }
      for (const write of writes) {
        if (write.writer === reader || !isVersionAfter(known, write, own, value)) continue;
        dependencies.push({ from: reader, to: write.writer, kind: "rw", key });
      }
    }
  }
  return { dependencies, violations };
}

/** Whether a write is known to have come after a version, which null is before all of. */
function isVersionAfter(
  { operations }: KnownWrites,
  write: RegisterWrite,
  version: RegisterWrite | undefined,
  value: number | null,
): boolean {
  if (value === null || write.before === value) return true;
  if (version === undefined) return false;
  const [first, second] = [operations[version.writer], operations[write.writer]];
  return first !== undefined && second !== undefined && isBefore(first, second);
}

function writesByKey(known: KnownWrites): Map<string, RegisterWrite[]> {
  const written = new Map<string, RegisterWrite[]>();
  for (const [writer, { steps, outcome }] of known.operations.entries()) {
    if (!known.happened(writer)) continue;
    for (const [at, step] of steps.entries()) {
      if (step.kind !== "write") continue;
      const { key, value, isConditional = false } = step;
      if (outcome === "unknown" && isConditional && !known.isSeen(key, value)) continue;
      const read = steps.slice(0, at).findLast((other) => other.key === key);
      const before = read?.kind === "register" ? read.value : undefined;
      written.set(key, [...(written.get(key) ?? []), { writer, value, before }]);
    }
  }
  return written;
}

function inferWrites(parts: {
  readonly known: KnownWrites;
  readonly key: string;
  readonly writes: readonly RegisterWrite[];
  readonly dependencies: Dependency[];
  readonly violations: Violation[];
}): void {
  const { known, key, writes, dependencies, violations } = parts;
  const byValue = new Map(writes.map(({ writer, value }) => [value, writer]));
  const over = new Map<number | null, number>();
  for (const { writer, before } of writes) {
    if (before === undefined) continue;
    const other = over.get(before);
    if (other !== undefined && other !== writer) {
      const what = `both read ${before} in ${key} and wrote over it`;
      violations.push(known.violation("lost-update", what, key, other, writer));
    }
    over.set(before, writer);
    const from = before === null ? undefined : byValue.get(before);
    if (from !== undefined && from !== writer) {
      dependencies.push({ from, to: writer, kind: "ww", key });
    }
  }
}
