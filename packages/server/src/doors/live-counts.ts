// How many live connections each address and each user has, over all threads of the process. Names are counted in
// two rows of cells by two halves of a keyed hash (a count-min sketch: Cormode and Muthukrishnan 2005): memory does
// not grow with the names, and a count is never too low. Each thread writes its own part; a thread that is
// replaced begins with an empty one, as its connections are gone.
import type { RandomSource } from "../base/random.ts";
import { keyedHash, type HashKey } from "../gate/keyed-hash.ts";

const rows = 2;
const rowCells = 16_384;
const partCells = rows * rowCells;

/** Memory of the counts of several threads, with the key of their hash. Structured-cloneable. */
export interface SharedLiveCounts {
  readonly memory: SharedArrayBuffer;
  readonly key: HashKey;
}

/** Makes memory. @param parts how many threads count. */
export function makeLiveCounts(parts: number, random: RandomSource): SharedLiveCounts {
  const bytes = random.bytes(8);
  const view = new DataView(bytes.buffer, bytes.byteOffset, 8);
  return {
    memory: new SharedArrayBuffer(parts * partCells * Int32Array.BYTES_PER_ELEMENT),
    key: [view.getInt32(0), view.getInt32(4)],
  };
}

/** The counts as one thread sees and changes them. */
export class LiveCounts {
  readonly #all: Int32Array;
  readonly #own: number;
  readonly #key: HashKey;

  /** @param part which is this thread's alone. */
  constructor({ memory, key }: SharedLiveCounts, part: number) {
    this.#all = new Int32Array(memory);
    this.#own = part * partCells;
    this.#key = key;
    this.#all.fill(0, this.#own, this.#own + partCells);
  }

  /** Counts one more connection when there are fewer than `max`. @returns whether there were. */
  enter(name: string, max: number): boolean {
    const cells = this.#cellsOf(name);
    for (const cell of cells) Atomics.add(this.#all, this.#own + cell, 1);
    // Counted first, looked at then: of two threads that enter at once, both may be refused, never let in.
    if (Math.min(...cells.map((cell) => this.#sum(cell))) <= max) return true;
    this.#leave(cells);
    return false;
  }

  /** One that had entered is gone. */
  leave(name: string): void {
    this.#leave(this.#cellsOf(name));
  }

  #leave(cells: readonly number[]): void {
    for (const cell of cells) Atomics.sub(this.#all, this.#own + cell, 1);
  }

  #sum(cell: number): number {
    let sum = 0;
    for (let at = cell; at < this.#all.length; at += partCells) sum += Atomics.load(this.#all, at);
    return sum;
  }

  #cellsOf(name: string): readonly number[] {
    const hash = keyedHash(name, this.#key);
    const low = Number(hash & 0xffff_ffffn);
    const high = Number((hash >> 32n) & 0xffff_ffffn);
    return [low % rowCells, rowCells + (high % rowCells)];
  }
}
