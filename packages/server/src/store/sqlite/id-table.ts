// Rows by their id. Not a Map: to look a text up in one, V8 first makes it unique among all texts of the thread, and
// an id that comes out of an isolate or a message is a new text each time. Here it is hashed and compared, no more.
//
// Open addressing: a row stands in the first free slot from its hash on, and slots are at most half full. Ids are made at
// random by the server, so their ends are hashed; many with the same end would be slow, never wrong.

/** What is kept. */
export interface Identified {
  readonly id: string;
}

const hashChars = 12;
const slotsMin = 64;

/** Rows by id. */
export class IdTable<T extends Identified> {
  #hashes = new Int32Array(slotsMin);
  #slots: (T | undefined)[] = emptySlots(slotsMin);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(id: string): T | undefined {
    const hashes = this.#hashes;
    const slots = this.#slots;
    const hash = hashOf(id);
    const mask = slots.length - 1;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const found = slots[at];
      if (found === undefined || (hashes[at] === hash && found.id === id)) return found;
    }
  }

  /** Keeps a row, in place of another of its id. */
  put(row: T): void {
    if (this.#size * 2 >= this.#slots.length) this.#grow();
    const hash = hashOf(row.id);
    const mask = this.#slots.length - 1;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const found = this.#slots[at];
      if (found === undefined) this.#size += 1;
      else if (this.#hashes[at] !== hash || found.id !== row.id) continue;
      this.#hashes[at] = hash;
      this.#slots[at] = row;
      return;
    }
  }

  delete(id: string): void {
    const hash = hashOf(id);
    const mask = this.#slots.length - 1;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const found = this.#slots[at];
      if (found === undefined) return;
      if (this.#hashes[at] !== hash || found.id !== id) continue;
      this.#size -= 1;
      this.#close(at, mask);
      return;
    }
  }

  clear(): void {
    if (this.#size === 0) return;
    this.#hashes = new Int32Array(slotsMin);
    this.#slots = emptySlots(slotsMin);
    this.#size = 0;
  }

  /** Frees a slot: rows behind it that it kept from an earlier one move up. */
  #close(freed: number, mask: number): void {
    const hashes = this.#hashes;
    const slots = this.#slots;
    let free = freed;
    for (let at = (free + 1) & mask; slots[at] !== undefined; at = (at + 1) & mask) {
      const home = (hashes[at] as number) & mask;
      if (((at - home) & mask) < ((at - free) & mask)) continue;
      hashes[free] = hashes[at] as number;
      slots[free] = slots[at];
      free = at;
    }
    slots[free] = undefined;
  }

  #grow(): void {
    const hashes = this.#hashes;
    const slots = this.#slots;
    const length = slots.length * 2;
    const mask = length - 1;
    const nextHashes = new Int32Array(length);
    const nextSlots = emptySlots<T>(length);
    for (let from = 0; from < slots.length; from++) {
      const row = slots[from];
      if (row === undefined) continue;
      const hash = hashes[from] as number;
      let at = hash & mask;
      while (nextSlots[at] !== undefined) at = (at + 1) & mask;
      nextHashes[at] = hash;
      nextSlots[at] = row;
    }
    this.#hashes = nextHashes;
    this.#slots = nextSlots;
  }
}

function emptySlots<T>(length: number): (T | undefined)[] {
  return Array.from<T | undefined>({ length }).fill(undefined);
}

/** FNV-1a of the end, which is the random part. */
function hashOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let at = Math.max(0, id.length - hashChars); at < id.length; at++) {
    hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193);
  }
  return hash ^ (hash >>> 15);
}
