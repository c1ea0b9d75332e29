// Memory that was freed and that the C library keeps. The engine compiles and collects on threads of its own, and
// glibc keeps for each thread what that once needed: 30 to 70 MB of a server that had a burst of work. It is asked to give
// that back (malloc_trim(3)) once there may be much of it.
import type { Clock } from "../base/clock.ts";

/** What it looks at and does. */
export interface LeanMemoryParts {
  readonly clock: Clock;
  /** Of the process, as it is now. */
  residentBytes(): number;
  /** Gives back what is free. A thread that needs memory meanwhile waits for some milliseconds. */
  giveBack(): void;
}

const lookMs = 15_000;
const grownBytesMin = 16_777_216;

/** Gives memory back whenever the process has grown since it last did. @returns a function that ends it. */
export function keepMemoryLean({ clock, residentBytes, giveBack }: LeanMemoryParts): () => void {
  let keptBytes = 0;
  const look = () => {
    const bytes = residentBytes();
    if (bytes < keptBytes + grownBytesMin) {
      keptBytes = Math.min(keptBytes, bytes);
    } else {
      giveBack();
      keptBytes = residentBytes();
    }
    cancel = clock.after(lookMs, look);
  };
  let cancel = clock.after(lookMs, look);
  return () => cancel();
}
