// Rows that came with the start of a call, because it is likely to read them. Reading one of these costs no
// way out of the isolate. They stand until the call may have changed a row, and each is given once, because what
// is given is the function's to change: from then on the host is asked.
import { parse } from "./primordials.ts";

interface AheadRow {
  readonly id: string;
}

/** The rows that were sent along with one call. */
export class RowsAhead {
  /** A bit for each row that was read, as the host numbers them. */
  used = 0;
  /** A target, its row, the next target, its row and so on. */
  readonly #pairs: readonly (number | AheadRow)[];
  #count: number;
  /** Rows are mostly read in the order in which they came. */
  #next = 0;

  /** @param json a list of targets and rows in turn. */
  constructor(json: string) {
    this.#pairs = parse(json) as readonly (number | AheadRow)[];
    this.#count = this.#pairs.length / 2;
  }

  /** @returns the row; undefined when it is not among them. */
  take(target: number, id: string): object | undefined {
    const pairs = this.#pairs;
    const count = this.#count;
    for (let looked = 0, index = this.#next; looked < count; looked++, index++) {
      if (index >= count) index = 0;
      if (pairs[2 * index] !== target) continue;
      const row = pairs[2 * index + 1] as AheadRow;
      if (row.id !== id) continue;
      const bit = 1 << index;
      if ((this.used & bit) !== 0) return undefined;
      this.used |= bit;
      this.#next = index + 1;
      return row;
    }
    return undefined;
  }

  /** From now on a row may be another. */
  drop(): void {
    this.#count = 0;
  }
}
