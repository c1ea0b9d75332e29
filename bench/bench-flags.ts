// The flags of `npm run bench`.
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import type { Workload } from "./load/requests.ts";
import { allSubjects, knownSubjects, usualSubjects } from "./subjects/known-subjects.ts";
import { canPin } from "./subjects/pin.ts";

export const workloads: readonly Workload[] = [
  "transfer",
  "transfer-zipf",
  "insert",
  "read",
  "list",
  "counter",
];

const coreWorkloads: readonly Workload[] = ["read", "list", "transfer"];

export interface BenchFlags {
  readonly json: boolean;
  readonly workloads: readonly Workload[];
  readonly subjects: readonly string[];
  readonly inside: boolean;
  readonly start: boolean;
  readonly types: boolean;
  readonly ceiling: boolean;
  readonly pin: boolean;
  /** On how many cores Keelson is measured, one after the other; none: that is not measured. */
  readonly cores: readonly number[];
  readonly coreWorkloads: readonly Workload[];
  /** Whether the generator is kept to the same cores. */
  readonly together: boolean;
  /** Null: the usual one for each number of cores. */
  readonly coreSubjects: readonly string[] | null;
  readonly profile: string | null;
  readonly clients: number;
  readonly processes: number;
  readonly seconds: number;
  /** How long each server gets a workload before its first run of it, seconds: engines compile what runs often. */
  readonly warm: number;
  readonly runs: number;
  readonly seed: number;
}

export const usage = `npm run bench -- [options]
  Sends the same workloads to Keelson and to others, in turn (A B C A B C ...), and prints medians and ratios.
  Without options: the transfer workload only, beside the hand-written baselines, about a minute.

  --all                  every workload and subject, the calls inside the process, the start, the types, the ceiling
  --workloads=a,b        of: ${workloads.join(", ")}
  --subjects=a,b         of: ${Object.keys(knownSubjects).join(", ")}
  --inside               a function call inside the process, warm and cold
  --start                start to first answer, and memory
  --types                type-checking an app of 55 tables and 200 functions
  --ceiling              what the generator reaches against a server that does nothing, beside wrk where there is one;
                         and transfers by SQLite alone, in groups of 1 to 500
  --cores=1,2,4          Keelson kept to so many cores (alone: 1, 2 and all), in turn, the generator on those that are left; of
                         ${coreWorkloads.join(", ")} or the --workloads
  --together             with --cores: the generator on the same ones, as on a machine that has no more
  --clients=64           connections, shared by the generator processes
  --processes=2          load generator processes
  --seconds=5            of each run
  --warm=8               of each workload before its first run, which do not count: engines compile what runs often
  --runs=3               of each pair; medians are printed
  --seed=1               of the requests drawn
  --pin                  every server on one core, the generator on the others
  --profile=folder       a CPU profile of each server on Node, for the developer tools of a browser
  --json                 one JSON line per result`;

/** @throws a TypeError with the usage's words when a flag is unknown or a value is not of its form. */
export function readFlags(args: readonly string[]): BenchFlags | "help" {
  const { values } = parseArgs({
    args: args.map((arg) => (arg === "--cores" ? "--cores=all" : arg)),
    options: {
      help: { type: "boolean" },
      all: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      inside: { type: "boolean", default: false },
      start: { type: "boolean", default: false },
      types: { type: "boolean", default: false },
      ceiling: { type: "boolean", default: false },
      pin: { type: "boolean", default: false },
      cores: { type: "string" },
      together: { type: "boolean", default: false },
      profile: { type: "string" },
      workloads: { type: "string" },
      subjects: { type: "string" },
      clients: { type: "string", default: "64" },
      processes: { type: "string", default: "2" },
      seconds: { type: "string", default: "5" },
      warm: { type: "string", default: "8" },
      runs: { type: "string", default: "3" },
      seed: { type: "string", default: "1" },
    },
  });
  if (values.help === true) return "help";
  const { all, json, inside, start, types, ceiling, pin, together } = values;
  if (pin && !canPin()) throw new TypeError("--pin needs taskset and more than one core");
  const cores = coresOf(values.cores ?? (all && canPin() ? "all" : null));
  const partOnly = inside || start || types || ceiling;
  const named = chosenWorkloads(values.workloads, all, partOnly || cores.length > 0);
  const coresOnly = values.cores !== undefined && !all;
  const subjects = values.subjects?.split(",") ?? (all ? allSubjects : usualSubjects);
  const unknown = subjects.find((name) => !Object.hasOwn(knownSubjects, name));
  if (unknown !== undefined) {
    throw new TypeError(`There is no subject ${unknown}: ${Object.keys(knownSubjects).join(", ")}`);
  }
  return {
    json,
    pin,
    profile: values.profile ?? null,
    workloads: coresOnly ? [] : named,
    cores,
    together,
    coreWorkloads: values.workloads === undefined ? coreWorkloads : named,
    coreSubjects: coresOnly ? (values.subjects?.split(",") ?? null) : null,
    subjects,
    inside: all || inside,
    start: all || start,
    types: all || types,
    ceiling: all || ceiling,
    clients: count("clients", values.clients),
    processes: count("processes", values.processes),
    seconds: count("seconds", values.seconds),
    warm: count("warm", values.warm, 0),
    runs: count("runs", values.runs),
    seed: count("seed", values.seed),
  };
}

/** @param text null: none. */
function coresOf(text: string | null): readonly number[] {
  if (text === null) return [];
  if (!canPin()) throw new TypeError("--cores needs taskset and more than one core");
  const most = availableParallelism();
  if (text === "all") return [...new Set([1, Math.min(2, most), most])];
  const cores = text.split(",").map((one) => count("cores", one));
  if (cores.some((one) => one > most)) throw new TypeError(`--cores: there are ${most}`);
  return cores;
}

function chosenWorkloads(
  named: string | undefined,
  all: boolean,
  partOnly: boolean,
): readonly Workload[] {
  if (named === undefined) {
    if (all) return workloads;
    return partOnly ? [] : ["transfer"];
  }
  return named.split(",").map((name) => {
    const found = workloads.find((workload) => workload === name);
    if (found === undefined)
      throw new TypeError(`There is no workload ${name}: ${workloads.join(", ")}`);
    return found;
  });
}

function count(name: string, text: string, least = 1): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least)
    throw new TypeError(`--${name} is a whole number from ${least}`);
  return value;
}
