// Query strings that were read before against those that are read anew.
import assert from "node:assert/strict";
import { test } from "node:test";
import { KnownForms } from "./known-forms.ts";
import { parseQueryString } from "./query-form-parse.ts";

const where = `where=${encodeURIComponent('{"author":"user_1","rank":{"in":[1,2]}}')}&limit=20`;

test("a query string is read once, and what is kept of it cannot be changed", () => {
  const forms = new KnownForms(32);
  const form = forms.list(where);
  assert.deepEqual(form, parseQueryString(where, "list", 32));
  assert.equal(forms.list(where), form);
  const { rank } = form.where as { readonly rank: { readonly in: number[] } };
  assert.throws(() => rank.in.push(3), TypeError);
});

test("what is refused is refused every time, long ones and cursors are not kept, old ones go", () => {
  const forms = new KnownForms(32);
  for (const _ of [1, 2]) {
    assert.throws(() => forms.list("where={"), { code: "JSON_INVALID" });
    assert.throws(() => forms.list("limit=1&limit=2"), { code: "REQUEST_INVALID" });
  }
  const long = `search=${"a".repeat(600)}`;
  assert.notEqual(forms.list(long), forms.list(long));
  assert.notEqual(forms.list("after=x"), forms.list("after=x"));
  const first = forms.list("limit=1");
  for (let limit = 2; limit < 5_000; limit++) {
    assert.equal(forms.list(`limit=${limit}`).limit, limit);
  }
  assert.notEqual(forms.list("limit=1"), first);
});
