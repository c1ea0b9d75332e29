// Tells how a rule came to its answer: every clause that was looked at, with the values it saw, and the
// clauses that decided. For people who may see everything: an explanation holds values of rows.
// Invariant: the verdict is that of rule-evaluate.ts.
import type { Json } from "../base/json.ts";
import { andThen, type Later } from "../base/later.ts";
import { ruleChildren } from "./rule-analyse.ts";
import type { Rule, RuleExpr, RuleValue, SourceRange } from "./rule-ast.ts";
import { compileRule, compileRuleValue, type RuleInput, type Truth } from "./rule-evaluate.ts";
import { printRule } from "./rule-print.ts";

/** One clause. Plain JSON. */
export type ClauseTrace = {
  /** As a person wrote it. */
  readonly text: string;
  /** The same with values in place of paths; null for clauses that are made of others. */
  readonly seen: string | null;
  /** 1-based line in the rule's file; null for a clause of a helper elsewhere. */
  readonly line: number | null;
  readonly verdict: Truth;
  /** Paths that the clause read, with what they held; null is absent. */
  readonly values: readonly { readonly text: string; readonly value: Json }[];
  /** Clauses below that were looked at, in order. */
  readonly parts: readonly ClauseTrace[];
  /** Whether this clause decided for the one above it. */
  readonly decided: boolean;
};

/** Why a rule allowed or denied. Plain JSON. */
export type RuleExplanation = {
  readonly verdict: Truth;
  /** Where the rule stands. */
  readonly file: string;
  readonly line: number;
  /** The clauses that decided, a line each: `row.customer === me.id  →  null (absent) === "user_1"  →  unknown`. */
  readonly text: string;
  readonly tree: ClauseTrace;
};

/** Clauses shown in the short text; the tree has all. */
const linesMax = 20;

/** Explains a decision. @param input as for `compileRule`; lookups are repeated. */
export function explainRule(rule: Rule, input: RuleInput): Later<RuleExplanation> {
  return andThen(trace(rule.expr, rule, input), (tree): RuleExplanation => {
    const lines = decidingLeaves(tree).map((leaf) => {
      const seen = leaf.seen === null || leaf.seen === leaf.text ? "" : `  →  ${leaf.seen}`;
      return `${leaf.text}${seen}  →  ${leaf.verdict ?? "unknown"}`;
    });
    return {
      verdict: tree.verdict,
      file: rule.at.file,
      line: rule.line,
      text: lines.slice(0, linesMax).join("\n"),
      tree,
    };
  });
}

function decidingLeaves(clause: ClauseTrace): readonly ClauseTrace[] {
  const below = clause.parts.filter((part) => part.decided);
  return below.length === 0 ? [clause] : below.flatMap(decidingLeaves);
}

function trace(expr: RuleExpr, rule: Rule, input: RuleInput): Later<ClauseTrace> {
  switch (expr.kind) {
    case "and":
    case "or":
      return traceParts(expr, rule, input);
    case "not":
      return andThen(trace(expr.part, rule, input), (part) => {
        const verdict = part.verdict === null ? null : !part.verdict;
        return clauseOf(expr, rule, verdict, [{ ...part, decided: true }]);
      });
    case "if":
      return andThen(trace(expr.when, rule, input), (when) => {
        if (when.verdict === null) {
          return clauseOf(expr, rule, null, [{ ...when, decided: true }]);
        }
        const taken = trace(when.verdict ? expr.yes : expr.no, rule, input);
        return andThen(taken, (branch) =>
          clauseOf(expr, rule, branch.verdict, [when, { ...branch, decided: true }]),
        );
      });
    case "constant":
    case "truth":
    case "compare":
    case "presence":
    case "among":
    case "contains":
    case "text":
    case "some":
      return traceLeaf(expr, rule, input);
    default:
      return expr satisfies never;
  }
}

function traceParts(
  expr: RuleExpr & { kind: "and" | "or" },
  rule: Rule,
  input: RuleInput,
): Later<ClauseTrace> {
  const end = expr.kind === "or";
  const run = (done: readonly ClauseTrace[]): Later<ClauseTrace> => {
    const part = expr.parts[done.length];
    if (part === undefined || done.at(-1)?.verdict === end) return joined(done);
    return andThen(trace(part, rule, input), (clause) => run([...done, clause]));
  };
  const joined = (parts: readonly ClauseTrace[]): ClauseTrace => {
    const verdict = jointVerdict(parts, end);
    return clauseOf(
      expr,
      rule,
      verdict,
      parts.map((part) => ({ ...part, decided: part.verdict === verdict })),
    );
  };
  return run([]);
}

function jointVerdict(parts: readonly ClauseTrace[], end: boolean): Truth {
  if (parts.some((part) => part.verdict === end)) return end;
  return parts.some((part) => part.verdict === null) ? null : !end;
}

function traceLeaf(expr: RuleExpr, rule: Rule, input: RuleInput): Later<ClauseTrace> {
  const paths = expr.kind === "some" ? [] : pathsOf(expr);
  const read = (values: readonly Json[]): Later<readonly Json[]> => {
    const path = paths[values.length];
    if (path === undefined) return values;
    return andThen(compileRuleValue(path)(input), (value) => read([...values, value]));
  };
  return andThen(read([]), (values) =>
    andThen(compileRule(expr)(input), (verdict) => {
      const show = (value: RuleValue): string | undefined => {
        const index = paths.indexOf(value);
        return index === -1 ? undefined : shown(values[index] ?? null);
      };
      return {
        ...clauseOf(expr, rule, verdict, []),
        seen: paths.length === 0 ? null : printRule(expr, { show }),
        values: paths.map((path, index) => ({
          text: textOf(path.at, rule) ?? printRule(path),
          value: values[index] ?? null,
        })),
      };
    }),
  );
}

function clauseOf(
  expr: RuleExpr,
  rule: Rule,
  verdict: Truth,
  parts: readonly ClauseTrace[],
): ClauseTrace {
  const text = textOf(expr.at, rule) ?? printRule(expr);
  const line = lineOf(expr.at, rule);
  return { text, seen: null, line, verdict, values: [], parts, decided: false };
}

/** Paths and times that a clause reads, each once. */
function pathsOf(node: RuleExpr | RuleValue): readonly RuleValue[] {
  if (node.kind === "path" || node.kind === "now") return [node];
  return [...new Set(ruleChildren(node).flatMap(pathsOf))];
}

function shown(value: Json): string {
  return value === null ? "null (absent)" : JSON.stringify(value);
}

function isInside(at: SourceRange, rule: Rule): boolean {
  return at.file === rule.at.file && at.start >= rule.at.start && at.end <= rule.at.end;
}

function textOf(at: SourceRange, rule: Rule): string | null {
  if (!isInside(at, rule)) return null;
  return rule.text.slice(at.start - rule.at.start, at.end - rule.at.start);
}

function lineOf(at: SourceRange, rule: Rule): number | null {
  if (!isInside(at, rule)) return null;
  return rule.line + rule.text.slice(0, at.start - rule.at.start).split("\n").length - 1;
}
