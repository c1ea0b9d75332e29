import assert from "node:assert/strict";
import { test } from "node:test";
import { PlatformError } from "../base/platform-error.ts";
import { parseQueryForm, parseQueryString } from "./query-form-parse.ts";

const refused = (code: string) => (error: unknown) =>
  error instanceof PlatformError && error.code === code;
const issueOf =
  (path: string, problem: RegExp | null = null) =>
  (error: unknown) => {
    assert.ok(refused("QUERY_INVALID")(error));
    const [issue] = (error as PlatformError).details["issues"] as {
      path: string;
      problem: string;
    }[];
    assert.equal(issue?.path, path);
    if (problem !== null) assert.match(issue.problem, problem);
    return true;
  };
const parse = (query: string) => parseQueryString(query, "list", 8);

test("every parameter of a list is read into the query form", () => {
  const query = new URLSearchParams({
    where: '{"rating":{"gte":8}}',
    orderBy: "-rating,id",
    limit: "20",
    after: "abc",
    with: "film,screening",
    select: "a,b",
    search: "third man & co",
    aggregate: '{"total":"count"}',
    groupBy: "a",
  });
  assert.deepEqual(parse(query.toString()), {
    where: { rating: { gte: 8 } },
    orderBy: ["-rating", "id"],
    limit: 20,
    after: "abc",
    with: ["film", "screening"],
    select: ["a", "b"],
    search: "third man & co",
    aggregate: { total: "count" },
    groupBy: ["a"],
  });
});

test("no names are an empty list, from an address as from JSON", () => {
  const none = { orderBy: [], select: [], groupBy: [] };
  assert.deepEqual(parse("orderBy=&select=&groupBy="), none);
  assert.deepEqual(parseQueryForm(none, "list"), none);
});

test("what to order and group by may be one text, also in JSON", () => {
  const form = { orderBy: "-a", groupBy: "a" };
  assert.deepEqual(parseQueryForm(form, "list"), form);
});

test("`with` may be JSON", () => {
  assert.deepEqual(parse(`with=${encodeURIComponent('{"booking":{"limit":3}}')}`), {
    with: { booking: { limit: 3 } },
  });
});

test("a parameter twice, without a value, or badly encoded is malformed", () => {
  for (const query of ["limit=1&limit=2", "limit", "limit=1&", "search=%zz"]) {
    assert.throws(() => parse(query), refused("REQUEST_INVALID"), query);
  }
});

test("an unknown parameter or a bad value is no query", () => {
  const queries = ["rating=8", "limit=-1", "limit=1e3", "limit=1.0", "limit=", "__proto__=1"];
  for (const query of queries) {
    assert.throws(() => parse(query), issueOf(query.split("=")[0] ?? ""), query);
  }
  assert.throws(() => parseQueryString("limit=1", "row", 8), issueOf("limit"));
  assert.throws(() => parse("wher={}"), issueOf("wher", /did you mean "where"/));
});

test("JSON in a parameter has the limits of JSON in a body", () => {
  for (const name of ["where", "with", "aggregate"]) {
    assert.throws(() => parse(`${name}={`), {
      code: "JSON_INVALID",
      details: { parameter: name },
      message: `The parameter ${name} is not valid JSON.`,
    });
  }
  assert.throws(() => parse(`where=${"[".repeat(9)}${"]".repeat(9)}`), refused("JSON_TOO_DEEP"));
  assert.throws(() => parse('where={"__proto__":1}'), refused("JSON_KEY_FORBIDDEN"));
});

test("the form as JSON takes the same names and the right types only", () => {
  const form = { where: { a: 1 }, orderBy: "-a", limit: 5, with: { b: true }, select: ["a"] };
  assert.deepEqual(parseQueryForm(form, "list"), form);
  assert.deepEqual(parseQueryForm(undefined, "row"), {});
  for (const bad of [
    null,
    [],
    "a",
    { limit: "5" },
    { select: "a" },
    { select: [1] },
    { search: 1 },
    { from: "b" },
  ]) {
    const [path = ""] = Object.keys(bad !== null && typeof bad === "object" ? bad : {});
    assert.throws(() => parseQueryForm(bad, "list"), issueOf(path), JSON.stringify(bad));
  }
  assert.throws(() => parseQueryForm({ limit: 5 }, "row"), issueOf("limit"));
});
