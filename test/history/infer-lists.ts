// Lists tell the most: whoever reads one sees the order in which all of it was written.
import type { Dependency, Inferred } from "./dependencies.ts";
import type { Violation } from "./history.ts";
import type { KnownWrites } from "./known-writes.ts";

interface ListRead {
  readonly reader: number;
  readonly values: readonly number[];
}

/** @returns dependencies through lists, and what the reads show by themselves. */
export function inferLists(known: KnownWrites): Inferred {
  const appends = new Map<string, { writer: number; value: number }[]>();
  const reads = new Map<string, ListRead[]>();
  for (const [place, { steps }] of known.operations.entries()) {
    for (const step of steps) {
      if (step.kind !== "append") continue;
      add(appends, step.key, { writer: place, value: step.value });
    }
    for (const read of known.reads[place] ?? []) {
      if (read.kind === "list") add(reads, read.key, { reader: place, values: read.values });
    }
  }
  const dependencies: Dependency[] = [];
  const violations: Violation[] = [];
  for (const [key, all] of reads) {
    const written = appends.get(key) ?? [];
    inferList({ known, key, reads: all, written, dependencies, violations });
  }
  return { dependencies, violations };
}

interface ListParts {
  readonly known: KnownWrites;
  readonly key: string;
  readonly reads: readonly ListRead[];
  readonly written: readonly { readonly writer: number; readonly value: number }[];
  readonly dependencies: Dependency[];
  readonly violations: Violation[];
}

function inferList(parts: ListParts): void {
  const { known, key, reads, written, dependencies, violations } = parts;
  const longest = reads.reduce((best, read) =>
    read.values.length > best.values.length ? read : best,
  );
  const order = longest.values;
  checkValues(parts, longest);
  const own = new Map<number, number>();
  for (const { writer, value } of written) own.set(writer, value);
  const isThere = new Set(order);
  // What happened and is in no list that anybody read came after all that was read.
  const later = written.filter(
    ({ writer, value }) => known.happened(writer) && !isThere.has(value),
  );
  const writers = order.map((value) => known.writerOf(key, value));
  const depend = (kind: "ww" | "wr" | "rw", from?: number, to?: number): void => {
    if (from !== undefined && to !== undefined && from !== to) {
      dependencies.push({ from, to, kind, key });
    }
  };
  for (const [at, writer] of writers.entries()) depend("ww", writer, writers[at + 1]);
  for (const { writer } of later) depend("ww", writers.at(-1), writer);
  for (const { reader, values } of reads) {
    if (values.some((value, at) => order[at] !== value)) {
      const what = `no order of ${key} has both`;
      violations.push(known.violation("incompatible-order", what, key, reader, longest.reader));
      continue;
    }
    const last = writers[values.length - 1];
    depend("wr", last, reader);
    if (values.length < order.length) depend("rw", reader, writers[values.length]);
    else for (const { writer } of later) depend("rw", reader, writer);
    if (last !== undefined && last !== reader && own.get(last) !== values.at(-1)) {
      const what = "a part of a transaction was seen";
      violations.push(known.violation("G1b intermediate-read", what, key, last, reader));
    }
  }
}

/** What the longest read shows of single values. */
function checkValues({ known, key, violations }: ListParts, { values, reader }: ListRead): void {
  const seen = new Set<number>();
  for (const value of values) {
    const writer = known.writerOf(key, value);
    if (seen.has(value)) {
      const what = `${value} is in ${key} twice`;
      violations.push(known.violation("duplicate", what, key, writer ?? reader, reader));
    }
    seen.add(value);
    const wrong = wrongValue(known, key, value, reader);
    if (wrong !== null) violations.push(wrong);
  }
}

/** Of a value that somebody saw: nobody wrote it, or whoever did was refused. */
export function wrongValue(
  known: KnownWrites,
  key: string,
  value: number,
  reader: number,
): Violation | null {
  const writer = known.writerOf(key, value);
  if (writer === undefined) {
    return known.violation("made-up", `nobody wrote ${value} to ${key}`, key, reader);
  }
  if (known.operations[writer]?.outcome !== "refused") return null;
  return known.violation("G1a aborted-read", "a refused write was seen", key, writer, reader);
}

function add<T>(all: Map<string, T[]>, key: string, value: T): void {
  const some = all.get(key);
  if (some === undefined) all.set(key, [value]);
  else some.push(value);
}
