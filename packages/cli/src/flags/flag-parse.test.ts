import assert from "node:assert/strict";
import { test } from "node:test";
import type { CommandSpec } from "./command-spec.ts";
import { Failure } from "./failure.ts";
import { parseFlags, usageLine } from "./flag-parse.ts";

const command: CommandSpec = {
  name: "import",
  summary: "",
  about: [],
  words: [
    { name: "table", help: "The table." },
    { name: "file", optional: true, help: "The file." },
  ],
  flags: [
    { name: "port", kind: "int", value: "<number>", min: 0, max: 65_535, help: "The port." },
    {
      name: "on-error",
      kind: "text",
      value: "<what>",
      oneOf: ["stop", "skip"],
      help: "What then.",
    },
    { name: "map", kind: "texts", value: "<column=field>", help: "Maps." },
    { name: "json", kind: "switch", help: "As JSON." },
  ],
  examples: [],
};

function codeOf(...argv: string[]): string {
  try {
    parseFlags(command, argv);
  } catch (error) {
    assert.ok(error instanceof Failure);
    assert.equal(error.exit, 1);
    return `${error.text.code}: ${error.text.what} ${error.text.why} ${error.text.fix}`;
  }
  return "done";
}

test("values come after = or as the next word", () => {
  const flags = parseFlags(command, ["film", "--port=80", "a.csv", "--on-error", "skip", "--json"]);
  assert.equal(flags.needWord("table"), "film");
  assert.equal(flags.word("file"), "a.csv");
  assert.equal(flags.int("port"), 80);
  assert.equal(flags.text("on-error"), "skip");
  assert.equal(flags.on("json"), true);
  assert.equal(flags.on("help"), false);
});

test("a value may hold = signs, and a flag of many values may be repeated", () => {
  const flags = parseFlags(command, ["film", "--map=A=B=c", "--map", "D=d"]);
  assert.deepEqual(flags.texts("map"), ["A=B=c", "D=d"]);
});

test("everything after -- is a word, and - is one too", () => {
  assert.equal(parseFlags(command, ["--", "--film"]).needWord("table"), "--film");
  assert.equal(parseFlags(command, ["film", "-"]).word("file"), "-");
});

test("help is asked for without the words that are needed", () => {
  assert.equal(parseFlags(command, ["--help"]).on("help"), true);
});

test("an unknown option is refused with the one that was meant", () => {
  assert.match(
    codeOf("film", "--prot=80"),
    /^FLAG_UNKNOWN: There is no option --prot\..*Did you mean --port\?/,
  );
  assert.match(codeOf("film", "-p"), /^FLAG_UNKNOWN/);
});

test("a mistake in the words has its own code", () => {
  const cases: readonly (readonly [RegExp, readonly string[]])[] = [
    [/^WORD_MISSING: <table> is missing/, []],
    [/^WORD_UNKNOWN: "c" is one word too many/, ["a", "b", "c"]],
    [/^FLAG_REPEATED/, ["a", "--port=1", "--port=2"]],
    [/^FLAG_VALUE_MISSING/, ["a", "--port"]],
    [/^FLAG_VALUE_MISSING/, ["a", "--port", "--json"]],
    [/^FLAG_VALUE_INVALID.*from 0 to 65535/, ["a", "--port=70000"]],
    [/^FLAG_VALUE_INVALID/, ["a", "--port=8o"]],
    [/^FLAG_VALUE_INVALID/, ["a", "--port="]],
    [/^FLAG_VALUE_INVALID.*switch/, ["a", "--json=yes"]],
    [/^FLAG_VALUE_INVALID.*did you mean skip/, ["a", "--on-error=skp"]],
  ];
  for (const [expected, argv] of cases) assert.match(codeOf(...argv), expected);
});

test("the usage line shows what is needed and what may be left out", () => {
  assert.equal(usageLine(command), "keelson import <table> [file] [options]");
});
