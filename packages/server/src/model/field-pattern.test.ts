import { strict as assert } from "node:assert";
import { test } from "node:test";
import * as fc from "fast-check";
import { compilePattern } from "./field-pattern.ts";
import { PatternRefused } from "./field-pattern-parse.ts";

const leaf = fc.constantFrom(
  "a",
  "b",
  ".",
  "[ab]",
  "[^a]",
  "\\d",
  "\\w",
  "é",
  "\\p{L}",
  "\\x61",
  "\\u{1F600}",
  "[[a-z]--b]",
);
const repeats = fc.constantFrom("", "", "*", "+", "?", "{2}", "{1,2}", "{0,}", "{0}", "+?");
const pattern = patterns(patterns(patterns(leaf)));
const text = fc.string({
  unit: fc.constantFrom("a", "b", "c", "1", "-", "é", "😀", "\n"),
  maxLength: 8,
});

test("a pattern matches the texts that the engine's RegExp matches whole", () => {
  fc.assert(
    fc.property(pattern, fc.array(text, { maxLength: 20 }), (source, texts) => {
      let mine;
      try {
        mine = compilePattern(source);
      } catch (error) {
        if (error instanceof PatternRefused && /too large|at most|group name/.test(error.message))
          return;
        throw error;
      }
      const twin = new RegExp(`^(?:${source})$`, "v");
      for (const each of texts)
        assert.equal(mine.test(each), twin.test(each), `${source} on ${each}`);
    }),
    { numRuns: 3_000 },
  );
});

test("patterns that take a backtracking engine minutes take no time", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["(a+)+b", "a".repeat(10_000)],
    ["(a|a)*b", "a".repeat(10_000)],
    ["(a|aa)+b", "a".repeat(10_000)],
    [".*.*.*.*.*x", "a".repeat(10_000)],
    ["([a-z]+)*([0-9]+)*!", "a1".repeat(5_000)],
    // A subset construction of 2^20 states.
    ["(a|b)*a(a|b){20}", scrambled(10_000)],
  ];
  for (const [source, hostile] of cases) {
    const compiled = compilePattern(source);
    const startedAt = performance.now();
    compiled.test(hostile);
    assert.ok(performance.now() - startedAt < 1_000, source);
  }
});

test("anchors at the ends change nothing; anywhere else they are refused", () => {
  assert.ok(compilePattern("^[a-z]+$").test("abc"));
  assert.ok(compilePattern("^a$|^b$").test("b"));
  for (const source of ["a^b", "a$b", "(^a)", "(a$)"]) {
    assert.throws(() => compilePattern(source), PatternRefused, source);
  }
});

test("what is not regular, not a pattern, or too large is refused with its reason", () => {
  const refused = [
    "(a)\\1",
    "(?<n>a)\\k<n>",
    "(?=a)b",
    "(?!a)b",
    "(?<=a)b",
    "(?<!a)b",
    "\\ba",
    "(?i:a)",
  ];
  refused.push(
    "(",
    "a{2,1}",
    "[z-a]",
    "\\q",
    "[\\q{abc}]",
    "\\p{RGI_Emoji}",
    "a{1001}",
    "(a{100}){100}",
  );
  refused.push("a".repeat(1_001), "(".repeat(60) + ")".repeat(60), ")|(");
  for (const source of refused) {
    assert.throws(() => compilePattern(source), PatternRefused, source);
  }
});

/** Choices of sequences of repeated groups or single characters. */
function patterns(inner: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const group = fc
    .tuple(inner, fc.constantFrom("(", "(?:", "(?<n>"))
    .map(([body, open]) =>
      open === "(?<n>" && body.includes("?<n>") ? `(${body})` : `${open}${body})`,
    );
  const atom = fc.oneof(leaf, leaf, group);
  const part = fc.tuple(atom, repeats).map(([body, repeat]) => body + repeat);
  const sequence = fc.array(part, { maxLength: 3 }).map((parts) => parts.join(""));
  return fc.array(sequence, { minLength: 1, maxLength: 2 }).map((parts) => parts.join("|"));
}

/** Letters a and b in an order that repeats late. */
function scrambled(count: number): string {
  let state = 1;
  return Array.from({ length: count }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return state % 2 === 0 ? "a" : "b";
  }).join("");
}
