import assert from "node:assert/strict";
import { test } from "node:test";
import { AppInvalid, PlatformError } from "@keelson/server/operator";
import { Failure } from "../flags/failure.ts";
import { makeTerminal } from "../terminal/terminal.ts";
import type { Io } from "./command.ts";
import { tellFailure } from "./tell-failure.ts";

function told(error: unknown): { readonly status: number; readonly text: string } {
  const lines: string[] = [];
  const io: Io = {
    terminal: makeTerminal({ write: () => {} }, { write: (text) => lines.push(text) }, {}),
    cwd: "",
    env: {},
    version: "0.0.0",
    nowMs: () => 0,
    outliveOutput: () => {},
    untilStopped: () => new AbortController().signal,
  };
  const status = tellFailure(error, io);
  return { status, text: lines.join("") };
}

test("a refusal of the server is told with its details and what to do", () => {
  const issues = [{ path: "title", problem: "is too short" }];
  assert.deepEqual(told(new PlatformError("VALUE_INVALID", { table: "idea", issues })), {
    status: 2,
    text:
      "keelson: VALUE_INVALID  A value does not fit its field.\n" +
      "  why: table: idea\n       title is too short\n" +
      "  do:  Look up VALUE_INVALID in the reference of errors.\n",
  });
  assert.equal(told(new PlatformError("DATA_LOCKED")).status, 5);
  const nobody = told(new PlatformError("USER_NOT_FOUND", { email: "ada@example.com" })).text;
  assert.match(nobody, /why: email: ada@example\.com\n +do: +Make one: keelson token --as=/);
});

test("an address that can't be listened on is told by why", () => {
  const fixOf = (reason: string) =>
    told(new PlatformError("LISTEN_FAILED", { host: "x", port: 80, reason })).text;
  assert.match(fixOf("EADDRINUSE"), /do: .*another with --port/);
  assert.match(fixOf("EACCES"), /do: .*below 1024/);
  for (const reason of ["ENOTFOUND", "EADDRNOTAVAIL"])
    assert.match(fixOf(reason), /do: .*--host names an address of this machine, without brackets/);
});

test("what is known on this machine alone is told where it is asked", () => {
  const engine = new Error("file is not a database");
  const cause = new Error("/data/data.db can't be opened.", { cause: engine });
  const { text } = told(new PlatformError("STORE_FAILED", {}, { cause }));
  assert.match(text, /why: \/data\/data\.db can't be opened\.\n +file is not a database\n/);
  assert.match(text, /do: .*keelson restore/);
  const keys = told(new PlatformError("STORE_FAILED", { part: "token keys" }, { cause })).text;
  assert.match(keys, /do: .*copy of keys\.json/);
  assert.doesNotMatch(keys, /keelson restore/);
  const unusable = new Error("/package.json can't be used as a data folder.", { cause: engine });
  const folder = told(new PlatformError("STORE_FAILED", {}, { cause: unusable })).text;
  assert.match(folder, /do: .*--data=<folder>\n/);
  const closed = new Error("/data/data.db can't be opened.", {
    cause: new Error("unable to open database file"),
  });
  const rights = told(new PlatformError("STORE_FAILED", {}, { cause: closed })).text;
  assert.match(rights, /do: .*ulimit -n/);
  assert.doesNotMatch(rights, /keelson restore/);
  const kept = told(new PlatformError("NOT_FOUND", {}, { cause }));
  assert.doesNotMatch(kept.text, /data\.db/);
});

test("mistakes in an app are shown with their code frames", () => {
  const mistake = {
    file: "keelson/a.ts",
    line: 1,
    column: 2,
    problem: "No.",
    fix: "yes",
    frame: "> 1 | no",
  };
  const { status, text } = told(new AppInvalid([mistake]));
  assert.equal(status, 7);
  assert.match(
    text,
    /keelson\/a\.ts:1:2 {2}No\.\n> 1 \| no\n {2}write: yes\n[^]*APP_INVALID {2}The app has 1 mistake/,
  );
});

test("what the system refuses is no bug of ours", () => {
  const refused = (code: string) =>
    told(Object.assign(new Error(`${code}: no, mkdir '/data/cache'`), { code, syscall: "mkdir" }));
  assert.deepEqual(refused("EROFS"), {
    status: 12,
    text:
      "keelson: FILE_REFUSED  A file can't be read or written.\n" +
      "  why: EROFS: no, mkdir '/data/cache'\n" +
      "  do:  Name a place that can be written to.\n",
  });
  assert.match(refused("EMFILE").text, /do: .*ulimit -n/);
  assert.equal(refused("ENOENT").status, 3);
});

test("a failure keeps its own status, and anything else is a bug of ours", () => {
  const failure = new Failure(2, { code: "X", what: "a", why: "b", fix: "c" });
  assert.deepEqual(told(failure), { status: 2, text: "keelson: X  a\n  why: b\n  do:  c\n" });
  const bug = told(new TypeError("oops"));
  assert.equal(bug.status, 3);
  assert.match(bug.text, /INTERNAL {2}Keelson has a bug\.\n {2}why: TypeError: oops/);
});
