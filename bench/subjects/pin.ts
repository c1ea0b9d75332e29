// Keeps a server to some cores and the generator to the others, where the system has `taskset`.
import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";

/** Numbers of cores; null: all of them, as the system likes. */
export type Cores = readonly number[] | null;

/** Whether there is a `taskset`, and a core to spare. */
export function canPin(): boolean {
  return availableParallelism() > 1 && spawnSync("taskset", ["--version"]).status === 0;
}

/** @param count from 1 to what this machine has. @returns the first of them, and the others; null where none is left. */
export function splitCores(count: number): { readonly first: Cores; readonly others: Cores } {
  const all = Array.from({ length: availableParallelism() }, (_, index) => index);
  const others = all.slice(count);
  return { first: all.slice(0, count), others: others.length === 0 ? null : others };
}

/** A command line, pinned. */
export function pinned(
  to: Cores,
  line: readonly [string, ...string[]],
): [command: string, args: string[]] {
  const [command, ...args] = line;
  if (to === null) return [command, args];
  return ["taskset", ["-c", to.join(","), command, ...args]];
}
