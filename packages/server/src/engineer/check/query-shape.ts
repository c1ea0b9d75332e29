// Checks of how functions ask: reads inside loops, lists that end where nobody looks, pages by number, counts
// of everything, live queries over whole tables.
import { plain } from "../../model/rule-app.ts";
import type { AppReview } from "./app-review.ts";
import type { FunctionFlow } from "./flow-walker.ts";
import { fieldOf, type DbOp, type Value } from "./flow-value.ts";
import { hasLimit } from "./query-plan.ts";
import { nameChain, walkNodes } from "./syntax.ts";
import { isOpen } from "./trust-function.ts";

/** Looks at every function, and at the live queries of the frontend. */
export function checkQueryShapes(review: AppReview): void {
  for (const flow of review.flows) {
    checkLoops(review, flow);
    checkSilentLimits(review, flow);
    checkOffsets(review, flow);
    checkCounts(review, flow);
  }
  checkLive(review);
}

/** The read whose rows a value is. */
function rowsOf(flow: FunctionFlow, value: Value | null): DbOp | null {
  if (value === null) return null;
  if (value.thing.kind === "row" && value.thing.many) return value.thing.op;
  return (
    flow.db.find(
      (op) =>
        (op.method === "list" || op.method === "page") && value.origins.has(`row:${op.index}`),
    ) ?? null
  );
}

function checkLoops(review: AppReview, flow: FunctionFlow): void {
  for (const op of flow.db) {
    if (!["get", "first", "list", "count", "aggregate"].includes(op.method)) continue;
    const loop = op.loops.find((each) => rowsOf(flow, each.over) !== null);
    const rows = loop === undefined ? null : rowsOf(flow, loop.over);
    if (loop === undefined || rows === null) continue;
    const expansion = op.method === "get" ? refTo(review, rows.table, op.table) : null;
    review.say(
      "K303",
      { file: op.file, node: op.node },
      {
        says: `One ${op.method} of ${op.table} for every ${rows.table}: a hundred rows are a hundred and one queries.`,
        evidence: [
          { text: `the rows come from ${rows.table}.${rows.method}()`, at: review.placeOf(rows) },
          { text: "the loop", at: review.placeOf(loop) },
        ],
        fix:
          expansion === null
            ? `db.${op.table}.list({ where: { ${refName(review, op.table, rows.table) ?? "id"}: { in: ids } }, limit: 1_000 })   // once, before the loop`
            : `db.${rows.table}.list({ ..., with: { ${expansion}: true } })`,
      },
    );
  }
}

function refTo(review: AppReview, from: string, to: string): string | null {
  return refName(review, from, to);
}

function refName(review: AppReview, from: string, to: string): string | null {
  const fields = Object.entries(review.manifest.tables[from]?.fields ?? {});
  return fields.find(([, spec]) => spec.kind === "ref" && spec.table === to)?.[0] ?? null;
}

function checkSilentLimits(review: AppReview, flow: FunctionFlow): void {
  for (const op of flow.db) {
    if (op.method !== "list" || hasLimit(op)) continue;
    const use = useOf(flow, op);
    if (use === null) continue;
    review.say(
      "K304",
      { file: op.file, node: op.node },
      {
        says: `This list ends at 100 rows without a word, and ${use} takes them for all.`,
        evidence: ["no limit is written: a list then gives the first 100 rows"],
        fix: "limit: 1_000   // or db.<table>.page({ after }) in a loop, or aggregate",
      },
    );
  }
}

/** What goes over the rows of a list as if they were all. */
function useOf(flow: FunctionFlow, op: DbOp): string | null {
  const isLooped = (other: {
    readonly loops: readonly { readonly over: Value | null }[];
  }): boolean => other.loops.some(({ over }) => over?.thing.kind === "row" && over.thing.op === op);
  if (flow.db.some((other) => isLooped(other)) || flow.runs.some(isLooped))
    return "the loop over it";
  const isSummed =
    flow.answers.some(({ value }) => sums(value, op)) ||
    flow.db.some((other) => other.values !== null && sums(other.values, op));
  return isSummed ? "the sum of it" : null;
}

function sums(value: Value, op: DbOp): boolean {
  if (value.thing.kind === "object")
    return [...value.thing.fields.values()].some((each) => sums(each, op));
  return (
    value.thing.kind === "plain" &&
    value.origins.has("math") &&
    value.origins.has(`row:${op.index}`)
  );
}

function checkOffsets(review: AppReview, flow: FunctionFlow): void {
  for (const { file, node, from, by } of flow.slices) {
    const op = rowsOf(flow, from);
    const args = [...by.origins].filter((origin) => origin.startsWith("arg:"));
    if (op === null || args.length === 0) continue;
    review.say(
      "K305",
      { file, node },
      {
        says: `Pages by number: page 50 reads the 49 before it, and rows that come or go between two pages are missed or shown twice.`,
        evidence: [
          { text: `rows of ${op.table}`, at: review.placeOf(op) },
          `cut by the caller's ${args.map((origin) => origin.slice(4)).join(", ")}`,
        ],
        fix: `const { rows, next } = await db.${op.table}.page({ orderBy: "-id", limit: 20, after });`,
      },
    );
  }
}

function checkCounts(review: AppReview, flow: FunctionFlow): void {
  if (!isOpen(flow)) return;
  for (const op of flow.db) {
    if (
      op.method !== "count" ||
      fieldOf(op.query, "where") !== null ||
      fieldOf(op.query, "search") !== null
    )
      continue;
    if (op.query !== null && op.query.thing.kind !== "object") continue;
    review.say(
      "K306",
      { file: op.file, node: op.node },
      {
        says: `Every call of ${flow.source.model.name} counts all rows of ${op.table}, one by one.`,
        evidence: [
          "no where: an engine keeps no number of rows",
          `allow: ${JSON.stringify(flow.source.model.allow)}`,
        ],
        fix: "// Keep the number in a row and change it with every create and delete, or count a filtered part.",
      },
    );
  }
}

/** `api.module.function.live(...)` and `api.table.live(...)` in the frontend. */
function checkLive(review: AppReview): void {
  for (const file of review.browser.files) {
    if (!file.text.includes(".live(")) continue;
    walkNodes(file.program, (node) => {
      if (node.type !== "CallExpression") return;
      const chain = nameChain(plain(node.callee));
      if (chain === null || chain.at(-1) !== "live" || chain.length < 3) return;
      const name = chain.slice(-3, -1).join(".");
      const flow = review.flows.find(({ source }) => source.model.name === name);
      const whole = flow?.db.find((op) => isWhole(op));
      if (flow === undefined || whole === undefined) return;
      review.say(
        "K307",
        { file, node },
        {
          says: `Every write to ${whole.table} runs ${name} again for everybody who looks: it depends on the whole table.`,
          evidence: [
            {
              text: `${whole.table}.${whole.method}() without a filter`,
              at: review.placeOf(whole),
            },
            { text: "is kept live here", at: review.placeOf({ file, node }) },
          ],
          fix: `db.${whole.table}.list({ where: { ... } })   // what this page shows, not all`,
        },
      );
    });
  }
}

function isWhole(op: DbOp): boolean {
  if (op.method === "count" || op.method === "aggregate")
    return fieldOf(op.query, "where") === null && isKnown(op);
  return (
    (op.method === "list" || op.method === "page") &&
    fieldOf(op.query, "where") === null &&
    isKnown(op) &&
    !hasLimit(op)
  );
}

function isKnown(op: DbOp): boolean {
  return op.query === null || (op.query.thing.kind === "object" && !op.query.thing.open);
}
