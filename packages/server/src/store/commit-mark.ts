// How readers of every thread know whether a snapshot is still the newest: one number in memory that all
// threads share. The writer makes it odd before a group may become visible and even when it is, and before
// anybody is answered. So a snapshot that began at an even number holds all that anybody was answered, or
// read, for as long as the number stays. While it is odd no snapshot is shared: every read opens its own.

/** One number for all connections of one file. */
export interface CommitMark {
  /** Names the newest state, or null while it changes. */
  current(): number | null;
  /** A group may become visible from now on. */
  begin(): void;
  /** It has, or never will. */
  end(): void;
}

/** Memory of a mark, to be handed to every thread. */
export function commitMarkMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(4);
}

/** A mark on memory that other threads may share. One thread at a time begins and ends. */
export function openCommitMark(memory: SharedArrayBuffer): CommitMark {
  const word = new Int32Array(memory);
  return {
    current() {
      const mark = Atomics.load(word, 0);
      return (mark & 1) === 1 ? null : mark;
    },
    begin() {
      // A writer that ended in the middle left it odd: then it is already what it should be.
      if ((Atomics.load(word, 0) & 1) === 0) Atomics.add(word, 0, 1);
    },
    end() {
      if ((Atomics.load(word, 0) & 1) === 1) Atomics.add(word, 0, 1);
    },
  };
}
