// Which idempotency keys were surely never used, without asking the file. Clients make keys that grow with time (the SDK's
// begin with it), so most keys are above all that stood in the file, and what came since is remembered.
//
// Invariant: every key of the file above the mark is among those remembered. Others may be too: of groups that did not
// become durable, of entries that were dropped. Only "never" is an answer; anything else is looked up.

/** Keys remembered; at most 255 characters each. */
const keysMax = 16_384;
/** Of those, how many are looked at to find one in the middle. */
const samples = 63;

/** Keys used lately, whatever their scope. */
export class RecentKeys {
  readonly #newest: () => string;
  /** Keys up to it are not known; null: it has to be asked for. */
  #mark: string | null = null;
  #keys = new Set<string>();

  /** @param newest the greatest key of the file in the order of code units; "": it has none. */
  constructor(newest: () => string) {
    this.#newest = newest;
  }

  /** Somebody else wrote the file. */
  forget(): void {
    this.#mark = null;
    this.#keys.clear();
  }

  /** Whether no entry has this key. False: nobody knows. @param key ASCII, so that its order is the file's. */
  isNew(key: string): boolean {
    this.#mark ??= this.#newest();
    return key > this.#mark && !this.#keys.has(key);
  }

  /** A key is used from now on. Before the first `isNew` there is nothing to note: that asks the file. */
  add(key: string): void {
    if (this.#mark === null || key <= this.#mark) return;
    this.#keys.add(key);
    if (this.#keys.size > keysMax) this.#raise();
  }

  /** The smaller half goes: keys that do not grow must not take the room of those that do. */
  #raise(): void {
    const step = Math.ceil(this.#keys.size / samples);
    const sample = [...this.#keys].filter((_, index) => index % step === 0).toSorted();
    const mark = sample[Math.floor(sample.length / 2)] as string;
    const kept = new Set<string>();
    for (const key of this.#keys) if (key > mark) kept.add(key);
    this.#mark = mark;
    this.#keys = kept;
  }
}
