import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { commandText, overviewText } from "./flags/help-text.ts";
import { referenceText } from "./flags/reference-text.ts";
import { commands } from "./main.ts";

const specs = commands.map(({ spec }) => spec);
const page = new URL("../../../docs/reference/cli.md", import.meta.url);

test("docs/reference/cli.md is what the commands say (KEELSON_WRITE_DOCS=1 writes it)", () => {
  const text = referenceText(specs);
  if (process.env["KEELSON_WRITE_DOCS"] === "1") writeFileSync(page, text);
  assert.equal(readFileSync(page, "utf8"), text);
});

test("every command teaches: what happens, and an example of it", () => {
  for (const spec of specs) {
    assert.ok(spec.about.join(" ").length > 60, spec.name);
    assert.ok(spec.examples.length > 0, spec.name);
    for (const { line, happens } of spec.examples) {
      assert.match(line, new RegExp(`keelson ${spec.name}`), spec.name);
      assert.match(happens, /\.$|\)$|`$/, line);
    }
    for (const { help, name } of spec.flags) assert.match(help, /[.)]$/, `${spec.name} --${name}`);
  }
});

test("help is at most 88 columns wide", () => {
  const texts = [overviewText(specs, "0.1.0"), ...specs.map(commandText)].join("\n").split("\n");
  // Examples and usage lines stand as they are to be copied.
  const wide = texts.filter((line) => line.length > 88 && !/^ {0,2}(?:keelson|curl)/.test(line));
  assert.deepEqual(wide, []);
});
