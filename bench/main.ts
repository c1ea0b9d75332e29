// `npm run bench`: one canonical workload by default, everything with --all. A program, never a timed test.
import { cpus } from "node:os";
import { readFlags, usage, type BenchFlags } from "./bench-flags.ts";
import { tableOf, type Result } from "./bench-report.ts";
import { compare } from "./compare.ts";
import { measureInside } from "./inside/measure-inside.ts";
import { measureStart } from "./inside/measure-start.ts";
import { measureTypes } from "./inside/measure-types.ts";
import { measureCores } from "./load/measure-cores.ts";
import { measureCeiling } from "./load/measure-ceiling.ts";
import { measureGroups } from "./load/measure-groups.ts";

const flags = parseFlags();
const results: Result[] = [];
const say = (line: string): void => console.error(line);
say(`${cpus()[0]?.model ?? "?"} x ${cpus().length}, Node ${process.version}, seed ${flags.seed}`);

if (flags.ceiling) {
  for (const result of await measureCeiling(flags)) report(result);
  for (const result of measureGroups(flags)) report(result);
}
if (flags.workloads.length > 0) await compare(flags, report, say);
if (flags.cores.length > 0) await measureCores(flags, report, say);
if (flags.inside) for (const result of await measureInside()) report(result);
if (flags.start) for (const result of await measureStart()) report(result);
if (flags.types) for (const result of measureTypes()) report(result);
if (!flags.json) console.log(tableOf(results, "keelson"));

function parseFlags(): BenchFlags {
  const read = readOrTell();
  if (read === null || read === "help") {
    console.log(usage);
    process.exit(read === null ? 1 : 0);
  }
  return read;
}

/** @returns null when a flag is wrong; why is on stderr. */
function readOrTell(): BenchFlags | "help" | null {
  try {
    return readFlags(process.argv.slice(2));
  } catch (error) {
    console.error(`${(error as Error).message}\n`);
    return null;
  }
}

function report(result: Result): void {
  results.push(result);
  if (flags.json) console.log(JSON.stringify(result));
}
