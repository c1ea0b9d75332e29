// Sets of rows that come once and go at most once: whoever sees one read after it came and before it went. Whoever does not,
// read before it came, or after it went when it did: which of these, times and commits tell, or nobody does.
import type { Dependency, Inferred } from "./dependencies.ts";
import type { Violation } from "./history.ts";
import { wrongValue } from "./infer-lists.ts";
import { isBefore } from "./is-before.ts";
import type { KnownWrites } from "./known-writes.ts";

/** @returns dependencies through sets, and what the reads show by themselves. */
export function inferSets(known: KnownWrites): Inferred {
  const added = new Map<string, { value: number; adder: number }[]>();
  for (const [adder, { steps }] of known.operations.entries()) {
    if (!known.happened(adder)) continue;
    for (const step of steps) {
      if (step.kind !== "add") continue;
      const { key, value } = step;
      added.set(key, [...(added.get(key) ?? []), { value, adder }]);
    }
  }
  const dependencies: Dependency[] = [];
  const violations: Violation[] = [];
  for (const [reader, reads] of known.reads.entries()) {
    for (const read of reads) {
      if (read.kind !== "set") continue;
      const { key, values } = read;
      const seen = new Set(values);
      if (seen.size < values.length) {
        const twice = values.find((value, at) => values.indexOf(value) !== at) ?? 0;
        const what = `${twice} is in ${key} twice`;
        const writer = known.writerOf(key, twice) ?? reader;
        violations.push(known.violation("duplicate", what, key, writer, reader));
      }
      for (const value of seen) {
        const wrong = wrongValue(known, key, value, reader);
        if (wrong !== null) violations.push(wrong);
      }
      for (const { value, adder } of added.get(key) ?? []) {
        if (adder === reader) continue;
        const parts = { known, key, value, adder, reader };
        dependencies.push(...(seen.has(value) ? whenSeen(parts) : whenNotSeen(parts)));
      }
    }
  }
  return { dependencies, violations };
}

interface Sight {
  readonly known: KnownWrites;
  readonly key: string;
  readonly value: number;
  readonly adder: number;
  readonly reader: number;
}

function whenSeen({ known, key, value, adder, reader }: Sight): Dependency[] {
  const gone = known
    .removersOf(key, value)
    .filter((remover) => remover !== reader && known.operations[remover]?.outcome === "done");
  return [
    { from: adder, to: reader, kind: "wr", key },
    ...gone.map((to): Dependency => ({ from: reader, to, kind: "rw", key })),
  ];
}

function whenNotSeen({ known, key, value, adder, reader }: Sight): Dependency[] {
  const { operations } = known;
  const removers = known
    .removersOf(key, value)
    .filter((remover) => operations[remover]?.outcome !== "refused");
  const before: Dependency = { from: reader, to: adder, kind: "rw", key };
  const [remover] = removers;
  if (remover === undefined) return [before];
  const [came, went, read] = [operations[adder], operations[remover], operations[reader]];
  const isTold = removers.length === 1 && remover !== reader && went?.outcome === "done";
  if (!isTold || came === undefined || read === undefined) return [];
  if (isBefore(came, read)) return [{ from: remover, to: reader, kind: "wr", key }];
  return isBefore(read, went) ? [before] : [];
}
