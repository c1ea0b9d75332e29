import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Json } from "../base/json.ts";
import { fitText, textProblem } from "../model/field-format.ts";
import type { Issue } from "../model/field-issue.ts";
import { compileJson } from "../model/field-json.ts";
import { fitJson, fitName } from "./sender-text.ts";

const unit = fc.constantFrom("a", "é", "\0", "\ud834", "\udd1e", "𝄞", "\ufffd", " ");
const text = fc.array(unit, { maxLength: 12 }).map((units) => units.join(""));
const depthMax = 6;

test("a text made fit is one that a field takes, of the same length, and a fit one stays as it is", () => {
  fc.assert(
    fc.property(text, (given) => {
      const fit = fitText(given);
      assert.equal(textProblem(fit), null);
      assert.equal(fit.length, given.length);
      if (textProblem(given) === null) assert.equal(fit, given);
    }),
  );
});

test("a value made fit is one that a json field takes, and has what else it had", () => {
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: depthMax - 1 },
      text,
      fc.integer(),
      fc.constant(null),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(text, tie("value"), { maxKeys: 3 }),
    ),
  }));
  fc.assert(
    fc.property(value, (given) => {
      const issues: Issue[] = [];
      const json = JSON.parse(JSON.stringify(given)) as Json;
      const fit = fitJson(json, depthMax);
      assert.deepEqual(compileJson(1_000_000, depthMax)(fit, "", issues), fit);
      assert.deepEqual(issues, []);
      const isFit = !/\\u0000|\\ud[89a-f]/v.test(JSON.stringify(json));
      if (isFit) assert.deepEqual(fit, json);
    }),
  );
});

test("a key that leads to a prototype stays a key, and what is too deep stays for its taker to refuse", () => {
  const given = JSON.parse(String.raw`{"__proto__":{"x":"\u0000"},"y":["\u0000"]}`) as Json;
  const fit = fitJson(given, 1) as { readonly [key: string]: Json };
  assert.ok(Object.hasOwn(fit, "__proto__"));
  assert.equal(Object.getPrototypeOf(fit), Object.prototype);
  assert.deepEqual(fit["y"], ["\0"]);
});

test("names are kept apart: two that differ have two texts, of a bounded length", () => {
  fc.assert(
    fc.property(text, text, fc.integer({ min: 1, max: 12 }), (a, b, charsMax) => {
      const names = [fitName(a, charsMax), fitName(b, charsMax)] as const;
      assert.equal(names[0] === names[1], a === b);
      for (const name of names) {
        assert.equal(textProblem(name), null);
        assert.ok(name.length <= charsMax || /^sha256:[0-9a-f]{64}$/v.test(name));
      }
    }),
  );
});
