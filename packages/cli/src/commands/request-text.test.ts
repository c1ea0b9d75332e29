import assert from "node:assert/strict";
import { test } from "node:test";
import { PlatformError, startWork, type Trace } from "@keelson/server/operator";
import { makeTerminal } from "../terminal/terminal.ts";
import { requestLines } from "./request-text.ts";
import { workLines } from "./work-text.ts";

const nowhere = { write: () => undefined };
const terminal = makeTerminal(nowhere, nowhere, {});

function linesOf(error: PlatformError, work = startWork()): string {
  const trace: Trace = {
    requestId: "req_1",
    cause: "POST /api/fn/board.add",
    operation: "board.add",
    caller: null,
    role: null,
    startedAtMs: 0,
    wallUs: 1_000,
    code: error.code,
    error,
    seq: -1,
    repeated: false,
    bytesOut: 0,
    work,
  };
  return requestLines(trace, terminal).join("\n");
}

const issues = [
  { path: "votes", problem: "must be a whole number" },
  { path: "title", problem: "must have at least 3 characters" },
  { path: "titel", problem: 'is not known here (did you mean "title"?)' },
];

test("a refusal says which field is wrong, and of how many", () => {
  assert.equal(
    linesOf(new PlatformError("VALUE_INVALID", { issues: issues.slice(0, 1) })),
    "VALUE_INVALID  board.add · 1.0 ms\n    votes must be a whole number",
  );
  assert.match(
    linesOf(new PlatformError("ARGUMENT_INVALID", { issues })),
    /\n {4}votes must be a whole number; title must have at least 3 characters; and 1 more$/v,
  );
  assert.match(
    linesOf(new PlatformError("RESULT_INVALID", { issues: [{ path: "", problem: "must be x" }] })),
    /\n {4}it must be x$/v,
  );
});

test("or what else it is about", () => {
  for (const [error, line] of [
    [
      new PlatformError("SYSTEM_CALL_INVALID", { operation: "db.ideas", problem: "no such table" }),
      "db.ideas: no such table",
    ],
    [
      new PlatformError("ARGUMENT_INVALID", { at: "x" }, { text: "x is no time." }),
      "x is no time.",
    ],
    [
      new PlatformError("UNIQUE_TAKEN", { table: "vote", fields: ["idea", "voter"] }),
      "table: vote, fields: idea voter",
    ],
  ] as const) {
    assert.equal(linesOf(error).split("\n")[1], `    ${line}`);
  }
  assert.doesNotMatch(linesOf(new PlatformError("SIGN_IN_REQUIRED")), /\n/v);
});

test("a rule that denied is told once", () => {
  const denial = { table: "idea", right: "create", field: null, explanation: null } as const;
  const work = { ...startWork(), denials: [denial] };
  const error = new PlatformError("RULE_DENIED", { table: "idea", right: "create" });
  assert.equal(linesOf(error, work).match(/idea/gv)?.length, 1);
});

test("work that failed says the same", () => {
  const lines = workLines(
    {
      queue: "queue:mail.send",
      count: 1,
      did: null,
      tookMs: 1,
      failure: {
        code: "VALUE_INVALID",
        text: "A value does not fit.",
        details: { issues },
        atMs: 0,
      },
      log: [],
    } as never,
    terminal,
  );
  assert.match(
    lines.join("\n"),
    /\n {4}votes must be a whole number; title must have at least 3 characters; and 1 more$/v,
  );
});
