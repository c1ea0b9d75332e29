import { strict as assert } from "node:assert";
import { test } from "node:test";
import * as fc from "fast-check";
import { parseJson } from "./json-parse.ts";

test("JSON of allowed depth comes out as JSON.parse gives it", () => {
  const value = fc.jsonValue({ maxDepth: 5 });
  fc.assert(
    fc.property(value, (json) => {
      const text = JSON.stringify(json);
      fc.pre(!/"(?:__proto__|constructor|prototype)":/.test(text));
      assert.deepEqual(parseJson(text, 32), JSON.parse(text));
    }),
  );
});

test("text that is no JSON, too deep, or reaches a prototype is refused with its code", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["{", "JSON_INVALID"],
    ["", "JSON_INVALID"],
    ["undefined", "JSON_INVALID"],
    ["[[[[]]]]", "JSON_TOO_DEEP"],
    [`${"[".repeat(5_000)}${"]".repeat(5_000)}`, "JSON_TOO_DEEP"],
    ['{"a":{"__proto__":{"admin":true}}}', "JSON_KEY_FORBIDDEN"],
    ['[{"constructor":1}]', "JSON_KEY_FORBIDDEN"],
    ['{"prototype":1}', "JSON_KEY_FORBIDDEN"],
    ['{"\\u005f_proto__":1}', "JSON_KEY_FORBIDDEN"],
  ];
  for (const [text, code] of cases)
    assert.throws(() => parseJson(text, 3), { code }, text.slice(0, 40));
  assert.deepEqual(parseJson("[[[1]]]", 3), [[[1]]]);
});
