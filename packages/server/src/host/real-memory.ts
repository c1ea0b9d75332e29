// The memory of this process, and glibc's malloc_trim(3) through node:ffi, which is an experiment of Node's: where it, or
// the function, is missing (macOS, musl, a Node without it), nothing is given back, and nothing else is lost.
import type { LeanMemoryParts } from "./lean-memory.ts";

/** Looked up when it is first needed: a start is in a hurry. */
export function openRealMemory(): Pick<LeanMemoryParts, "residentBytes" | "giveBack"> {
  let trim: (() => void) | null = null;
  return {
    residentBytes: () => process.memoryUsage.rss(),
    giveBack() {
      trim ??= findTrim();
      trim();
    },
  };
}

function findTrim(): () => void {
  try {
    const { malloc_trim: trim } = loadQuietly().dlopen(null, {
      malloc_trim: { arguments: ["u64"], return: "i32" },
    }).functions;
    return () => void trim(0n);
  } catch {
    return () => undefined;
  }
}

/** Node says at the first load that it is an experiment: of no use to whoever runs a server. */
function loadQuietly(): typeof import("node:ffi") {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return process.getBuiltinModule("node:ffi");
  } finally {
    process.emitWarning = emitWarning;
  }
}
