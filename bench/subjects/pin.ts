// Keeps a server to one core and the generator to the others, where the system has `taskset`.
import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";

/** Whether there is a `taskset`, and a core to spare. */
export function canPin(): boolean {
  return availableParallelism() > 1 && spawnSync("taskset", ["--version"]).status === 0;
}

/** A command line, pinned. @param to null leaves it as it is. */
export function pinned(
  to: "server" | "generator" | null,
  line: readonly [string, ...string[]],
): [command: string, args: string[]] {
  const [command, ...args] = line;
  if (to === null) return [command, args];
  const cores = to === "server" ? "0" : `1-${availableParallelism() - 1}`;
  return ["taskset", ["-c", cores, command, ...args]];
}
