// What the writer found out of one table with `some`: whether anybody is a member here is asked by the rule of every
// row that comes in, and the answer stands until a row of the table changes.
import type { SqlValue } from "./sql-text.ts";

/** A question of `some`. */
export interface SomeQuestion {
  /** The condition on alias `t`. */
  readonly condition: string;
  readonly values: readonly SqlValue[];
}

/** Questions remembered of one table; then all are forgotten. */
const keptMax = 4_096;

/** Whether the table that it is asked of is the only one that it looks at. Names do not begin with capitals. */
export function isOfOneTable({ condition }: SomeQuestion): boolean {
  return !condition.includes("SELECT");
}

/** Answers about one table. Whoever changes a row of it says so. */
export class SomeMemory {
  readonly #answers = new Map<string, Map<string, boolean>>();
  #size = 0;

  /** The answer, when it is known. */
  get({ condition, values }: SomeQuestion): boolean | undefined {
    if (this.#size === 0) return undefined;
    return this.#answers.get(condition)?.get(keyOf(values));
  }

  /** @param question of one table, asked when nothing waited to be written. */
  put({ condition, values }: SomeQuestion, answer: boolean): void {
    if (this.#size >= keptMax) this.clear();
    let byValues = this.#answers.get(condition);
    if (byValues === undefined) {
      byValues = new Map();
      this.#answers.set(condition, byValues);
    }
    byValues.set(keyOf(values), answer);
    this.#size += 1;
  }

  /** A row of the table changed, or was never what it seemed. */
  clear(): void {
    if (this.#size === 0) return;
    this.#answers.clear();
    this.#size = 0;
  }
}

/** A rule's values are texts and numbers. */
function keyOf(values: readonly SqlValue[]): string {
  return JSON.stringify(values);
}
