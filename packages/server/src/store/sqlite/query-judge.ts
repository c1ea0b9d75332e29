// Read rules asked of rows that are in memory already, where a statement would ask them of rows in the file.
// Both say the same of every row (model/rule-evaluate.ts).
import { assert } from "../../base/assert.ts";
import { analyseRule } from "../../model/rule-analyse.ts";
import type { RuleExpr } from "../../model/rule-ast.ts";
import { compileRule, type RuleInput, type RuleTest } from "../../model/rule-evaluate.ts";
import type { Guard, Page, Row } from "../store.ts";
import type { WholePage } from "./row-cache.ts";

/** A rule, ready to be asked. */
export interface AskableRead {
  readonly test: RuleTest;
  /** It looks at the row, the caller and the time, and at no other row. */
  readonly ofRowAlone: boolean;
}

const noItems = Object.freeze({});
const known = new WeakMap<RuleExpr, AskableRead>();

/** The rule as it can be asked; remembered with the expression. */
export function askableRead(rule: RuleExpr): AskableRead {
  const before = known.get(rule);
  if (before !== undefined) return before;
  const { dependsOnNext, reads, someTables, freeItems } = analyseRule(rule);
  const others = Object.keys(reads).length + someTables.length + freeItems.length;
  const askable = { test: compileRule(rule), ofRowAlone: others === 0 && !dependsOnNext };
  known.set(rule, askable);
  return askable;
}

/** What a rule of the row alone is asked with: one object for all rows of a page. */
class AloneInput implements RuleInput {
  row: Row | null = null;
  readonly next: null = null;
  readonly me: RuleInput["me"];
  readonly now: string;
  readonly items: RuleInput["items"] = noItems;

  constructor({ bindings }: Guard) {
    this.me = bindings.me;
    this.now = bindings.now;
  }

  lookup(): never {
    assert(false, "a rule of the row alone looks at no other row");
  }

  some(): never {
    assert(false, "a rule of the row alone looks into no table");
  }
}

/**
 * What a guard leaves of a page that was read without it: the page itself where that is all of it.
 * @param rule of the row alone. @returns null when rows are missing, those that stand after the page, and when
 * it is not known of the row behind it whether it is one for this caller: `next` would tell of a hidden one.
 */
export function judgedPage(whole: WholePage, rule: AskableRead, guard: Guard): Page | null {
  const { page, behind } = whole;
  const { rows, next } = page;
  const input = new AloneInput(guard);
  for (let index = 0; index < rows.length; index++) {
    input.row = rows[index] as Row;
    if (rule.test(input) === true) continue;
    if (next !== null) return null;
    return Object.freeze({ rows: passedRows(rule, input, rows, index), next: null });
  }
  if (next === null) return page;
  input.row = behind;
  return behind !== null && rule.test(input) === true ? page : null;
}

/** @param from the first row that does not pass. */
function passedRows(
  { test }: AskableRead,
  input: AloneInput,
  rows: readonly Row[],
  from: number,
): readonly Row[] {
  const passed = rows.slice(0, from);
  for (let index = from + 1; index < rows.length; index++) {
    const row = rows[index] as Row;
    input.row = row;
    if (test(input) === true) passed.push(row);
  }
  return Object.freeze(passed);
}
