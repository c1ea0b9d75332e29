import assert from "node:assert/strict";
import { test } from "node:test";
import { printFailure, printMistakes } from "./failure-text.ts";
import { makeProgress, progressBar } from "./progress.ts";
import { counted, tableText } from "./table-text.ts";
import { makeTerminal, type Terminal } from "./terminal.ts";

function recorded(options: { isTTY?: boolean; env?: Record<string, string> } = {}): {
  readonly terminal: Terminal;
  readonly out: () => string;
  readonly err: () => string;
} {
  const out: string[] = [];
  const err: string[] = [];
  const terminal = makeTerminal(
    { write: (text) => out.push(text) },
    { write: (text) => err.push(text), isTTY: options.isTTY, columns: 60 },
    options.env ?? {},
  );
  return { terminal, out: () => out.join(""), err: () => err.join("") };
}

function isToned(isTTY: boolean, env: Record<string, string>): boolean {
  return recorded({ isTTY, env }).terminal.tone("red", "x") !== "x";
}

/** What is drawn for three steps, 10 and 80 ms apart. */
function drawn(isTTY: boolean, env: Record<string, string>): string {
  const { terminal, err } = recorded({ isTTY, env });
  let nowMs = 0;
  const progress = makeProgress(terminal, "import", () => nowMs);
  for (const [at, text] of [
    [0, "1 row"],
    [10, "2 rows"],
    [90, "3 rows"],
  ] as const) {
    nowMs = at;
    progress.show(at / 180, text);
  }
  progress.end();
  return err();
}

test("the result goes to standard output and remarks to standard error", () => {
  const { terminal, out, err } = recorded();
  terminal.out("result");
  terminal.note("remark");
  assert.equal(out(), "result\n");
  assert.equal(err(), "remark\n");
});

test("colours are for terminals, unless a convention says otherwise", () => {
  assert.equal(isToned(true, {}), true);
  assert.equal(isToned(false, {}), false);
  assert.equal(isToned(true, { NO_COLOR: "1" }), false);
  assert.equal(isToned(true, { TERM: "dumb" }), false);
  assert.equal(isToned(false, { FORCE_COLOR: "1" }), true);
});

test("a progress line is drawn on terminals, not in CI, and not more often than every 80 ms", () => {
  assert.match(drawn(true, {}), /1 row.*3 rows/s);
  assert.doesNotMatch(drawn(true, {}), /2 rows/);
  assert.equal(drawn(true, { CI: "true" }), "");
  assert.equal(drawn(false, {}), "");
});

test("a remark is not written into the progress line", () => {
  const { terminal, err } = recorded({ isTTY: true });
  terminal.status("half");
  terminal.note("remark");
  assert.equal(err(), "half\r\u001b[2Kremark\nhalf");
});

test("the bar never leaves its bounds", () => {
  assert.equal(progressBar(0), `[${"-".repeat(24)}]   0 %`);
  assert.equal(progressBar(0.5), `[${"#".repeat(12)}${"-".repeat(12)}]  50 %`);
  assert.equal(progressBar(7), `[${"#".repeat(24)}] 100 %`);
});

test("columns line up and lines have no trailing spaces", () => {
  assert.deepEqual(
    tableText(
      [
        ["film", "3,201", "anyone"],
        ["bø", "1", ""],
      ],
      ["left", "right"],
    ),
    ["film  3,201  anyone", "bø        1"],
  );
});

test("counts carry their noun", () => {
  assert.equal(counted(1, "row"), "1 row");
  assert.equal(counted(3_201, "row"), "3,201 rows");
  assert.equal(counted(0, "query", "queries"), "0 queries");
});

test("a failure is three lines: what (code), why, what to do", () => {
  const { terminal, err } = recorded();
  printFailure(terminal, { code: "FLAG_UNKNOWN", what: "No.", why: "One\ntwo.", fix: "Do." });
  assert.equal(err(), "keelson: FLAG_UNKNOWN  No.\n  why: One\n       two.\n  do:  Do.\n");
});

test("a mistake shows its place, its code frame and what to write", () => {
  const { terminal, err } = recorded();
  printMistakes(terminal, [
    {
      file: "keelson/rules.ts",
      line: 2,
      column: 3,
      problem: "There is no field titel.",
      fix: "row.title",
      frame: "  1 | a\n> 2 | b\n    |   ^",
    },
  ]);
  assert.equal(
    err(),
    "\nkeelson/rules.ts:2:3  There is no field titel.\n  1 | a\n> 2 | b\n    |   ^\n  write: row.title\n\n",
  );
});
