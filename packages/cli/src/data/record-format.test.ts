import assert from "node:assert/strict";
import { test } from "node:test";
import type { FieldSpec, Json } from "@keelson/sdk/spec";
import * as fc from "fast-check";
import { makeCsvSplitter } from "./csv-split.ts";
import { makeJsonSplitter } from "./json-split.ts";
import { makeNdjsonSplitter } from "./ndjson-split.ts";
import { rowOfRecord } from "./column-map.ts";
import { makeFormatter, type Row } from "./record-format.ts";
import { formats, type Format, type RecordSplitter, type SourceRecord } from "./source-record.ts";

const fields = {
  id: { kind: "id", table: "film" },
  title: { kind: "text", min: 0, max: 1_000, optional: true },
  rating: { kind: "number", optional: true },
  copies: { kind: "int", min: -9e15, max: 9e15 },
  open: { kind: "bool" },
  tags: { kind: "list", item: { kind: "text", min: 0, max: 10 }, min: 0, max: 10 },
  extra: { kind: "json", maxBytes: 1_000, optional: true },
} satisfies Record<string, FieldSpec>;

const text = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: fc.constantFrom('"', ",", "\n", "\r", "\t", " ", "a", "=", "\uFEFF") }),
);
const row: fc.Arbitrary<Row> = fc.record(
  {
    id: fc.uuid(),
    title: fc.option(text),
    rating: fc.option(
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => (n === 0 ? 0 : n)),
    ),
    copies: fc.maxSafeInteger(),
    open: fc.boolean(),
    tags: fc.array(text, { maxLength: 3 }),
    extra: fc.option(
      fc.oneof(
        fc.boolean(),
        fc.integer(),
        text,
        fc.array(fc.option(fc.integer())),
      ) as fc.Arbitrary<Json>,
    ),
  },
  { noNullPrototype: true },
);

function splitterOf(format: Format): RecordSplitter {
  if (format === "json") return makeJsonSplitter();
  if (format === "ndjson") return makeNdjsonSplitter();
  return makeCsvSplitter(format === "csv" ? "," : "\t");
}

function readIn(splitter: RecordSplitter, whole: string, cuts: readonly number[]): SourceRecord[] {
  const ends = [...cuts.map((cut) => cut % (whole.length + 1)), whole.length].toSorted(
    (a, b) => a - b,
  );
  let from = 0;
  const found: SourceRecord[] = [];
  for (const to of ends) {
    found.push(...splitter.push(whole.slice(from, to)));
    from = to;
  }
  return [...found, ...splitter.end()];
}

for (const format of formats) {
  test(`${format}: what is written is read back to the same rows, however the text is cut`, () => {
    fc.assert(
      fc.property(
        fc.array(row, { maxLength: 12 }),
        fc.array(fc.nat(), { maxLength: 6 }),
        (rows, cuts) => {
          const formatter = makeFormatter(format, fields);
          const half = Math.floor(rows.length / 2);
          const whole =
            formatter.head() +
            formatter.rows(rows.slice(0, half)) +
            formatter.rows(rows.slice(half)) +
            formatter.foot();
          const read = readIn(splitterOf(format), whole, cuts).map((record) => {
            assert.equal(record.kind, "record");
            const isText = format === "csv" || format === "tsv";
            return rowOfRecord(record.value, { map: new Map(), fields, isText, zone: null });
          });
          assert.deepEqual(read, rows);
        },
      ),
      { numRuns: 200 },
    );
  });
}

test("csv: an absent value and an empty text are told apart", () => {
  const formatter = makeFormatter("csv", { id: fields.id, title: fields.title });
  const written = formatter.rows([
    { id: "a", title: null },
    { id: "b", title: "" },
  ]);
  assert.equal(written, 'a,\nb,""\n');
});
