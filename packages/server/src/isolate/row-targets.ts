// The pairs of a table and a reason of `db.asSystem` that an isolate has named, by number: a read by id crosses
// the border with a number in their place. What an isolate says is checked where it is used, by the gate.
import type { RowTarget } from "./system-calls.ts";

/** Reasons that are made up as they go would be without end: past this the isolate sends them in full. */
const targetsMax = 1_024;
const reasonCharsMax = 1_024;

/** The targets of one isolate. */
export class RowTargets {
  readonly #targets: RowTarget[] = [];
  readonly #numbers = new Map<string, number>();
  /** Rows that are sent along ask for one target again and again. */
  #last: RowTarget | null = null;
  #lastNumber = 0;

  /** @returns from 1 on; 0 when there are too many, or the texts are too long. */
  number(named: RowTarget): number {
    if (named === this.#last) return this.#lastNumber;
    const { table, reason } = named;
    if (table.length + reason.length > reasonCharsMax) return 0;
    const key = `${table}\n${reason}`;
    const number = this.#numbers.get(key) ?? this.#another(named, key);
    this.#last = named;
    this.#lastNumber = number;
    return number;
  }

  #another({ table, reason }: RowTarget, key: string): number {
    if (this.#targets.length >= targetsMax) return 0;
    const number = this.#targets.push(Object.freeze({ table, reason }));
    this.#numbers.set(key, number);
    return number;
  }

  /** @returns undefined for a number that was not given. */
  target(number: number): RowTarget | undefined {
    return this.#targets[number - 1];
  }
}
