import assert from "node:assert/strict";
import { test } from "node:test";
import { Failure } from "../flags/failure.ts";
import { makeCsvSplitter } from "./csv-split.ts";
import { makeJsonSplitter } from "./json-split.ts";
import { makeNdjsonSplitter } from "./ndjson-split.ts";
import type { RecordSplitter, SourceRecord } from "./source-record.ts";

function read(splitter: RecordSplitter, text: string): readonly SourceRecord[] {
  return [...splitter.push(text), ...splitter.end()];
}

/** `line value...` for records, `line !text` for broken pieces. */
function short(records: readonly SourceRecord[]): string[] {
  return records.map((record) =>
    record.kind === "record"
      ? `${record.line} ${JSON.stringify(Object.values(record.value))}`
      : `${record.line} !${record.text}`,
  );
}

function reasons(text: string): string[] {
  return read(makeJsonSplitter(), text).flatMap((record) =>
    record.kind === "broken" ? [record.reason] : [],
  );
}

test("csv: a mark before the header, quoted line ends, doubled quotes, both kinds of line ends", () => {
  const text = '\uFEFFa,b\r\n1,"x\ny"\n"say ""hi""",2\r\n,""\n';
  assert.deepEqual(short(read(makeCsvSplitter(","), text)), [
    '2 ["1","x\\ny"]',
    '4 ["say \\"hi\\"","2"]',
    '5 [null,""]',
  ]);
});

test("csv: a stray quote costs its own line and no other", () => {
  const stray = ['1,5" pipe', '2,"x"y', '3,"never closed', "4,fine", '5,"also "" fine"', "6"];
  assert.deepEqual(short(read(makeCsvSplitter(","), ["a,b", ...stray].join("\n"))), [
    '2 !1,5" pipe',
    '3 !2,"x"y',
    '4 !3,"never closed',
    '5 ["4","fine"]',
    '6 ["5","also \\" fine"]',
    "7 !6",
  ]);
});

test("csv: blank lines are no records, except in a file of one column", () => {
  assert.deepEqual(short(read(makeCsvSplitter(","), "a,b\n\n1,2\n\n")), ['3 ["1","2"]']);
  assert.deepEqual(short(read(makeCsvSplitter(","), "a\n\n1\n")), ["2 [null]", '3 ["1"]']);
});

test("csv: a header that names a column twice or not at all is refused", () => {
  for (const header of ["a,a\n", "a,,b\n"]) {
    assert.throws(
      () => read(makeCsvSplitter(","), header),
      (error) => error instanceof Failure && error.text.code === "COLUMNS_INVALID",
    );
  }
});

test("csv: a header that can't be read is told, and no row stands in for it", () => {
  const cases = [
    ['"a";"b"\n1;2\n', 'Add --delimiter=";"'],
    ['5" pipe,b\n1,2\n', "Give every column its own name in the first line."],
  ] as const;
  for (const [text, fix] of cases) {
    assert.throws(
      () => read(makeCsvSplitter(","), text),
      (error) => error instanceof Failure && error.text.fix === fix,
    );
  }
});

test("ndjson: what is no object is broken, blank lines are nothing", () => {
  const text = '{"a":1}\n\n[1]\n{"a":\n{"a":2}';
  assert.deepEqual(short(read(makeNdjsonSplitter(), text)), [
    "1 [1]",
    "3 ![1]",
    '4 !{"a":',
    "5 [2]",
  ]);
});

test("json: items keep their lines, and brackets inside texts are text", () => {
  const text = '[\n  {"a": "],[{"},\n\n  {"a": [1, {"b": "\\""}]}\n]\n';
  assert.deepEqual(short(read(makeJsonSplitter(), text)), ['2 ["],[{"]', '4 [[1,{"b":"\\""}]]']);
});

test("json: an item that can't be read does not take the others with it", () => {
  assert.deepEqual(short(read(makeJsonSplitter(), '[{"a":1}, {a:2}, 3, {"a":4}]')), [
    "1 [1]",
    "1 !{a:2}",
    "1 !3",
    "1 [4]",
  ]);
});

test("json: what is missing or too much is told", () => {
  assert.deepEqual(reasons("[]"), []);
  assert.deepEqual(reasons(" [ ] \n"), []);
  assert.deepEqual(reasons('[{"a":1}] x'), ["There is text outside the array."]);
  assert.deepEqual(reasons('[{"a":1},]'), ["There is nothing between two commas."]);
  assert.deepEqual(reasons('[{"a":1}'), ["The file ends before its array does."]);
  assert.deepEqual(reasons(""), ["The file is empty: it has no array."]);
  assert.deepEqual(reasons('{"a":1}'), [
    "The file does not begin with [.",
    "There is text outside the array.",
  ]);
});
