// `keelson workflow`: runs of workflows, as whoever looks after the app sees them, and what can be done with one.
import type { Json } from "@keelson/sdk/spec";
import type { DataDoor } from "../data/data-door.ts";
import { appFlag, dataFlag, jsonFlag } from "../flags/command-spec.ts";
import { exits, usageFailure } from "../flags/failure.ts";
import type { Flags } from "../flags/flag-parse.ts";
import type { Command, Io } from "./command.ts";
import { runWordAct, typedJson, type WordAct } from "./word-act.ts";

const states = ["running", "done", "failed", "cancelled", "stuck"];

type Shown = Readonly<Record<string, Json>>;

/** Lists, shows, signals, cancels and goes on with runs. */
export const workflow: Command = {
  spec: {
    name: "workflow",
    summary: "Shows runs of workflows; signals, cancels and goes on with them.",
    about: [
      "list prints the newest runs; show prints one with all that it did; signal sends it one of the signals that its workflow declares; cancel interrupts it: what it waits for fails, and what it did is undone by what it gave to compensate.",
      "retry goes on with a run that is stuck (its code did something else than before) on the newest code of the app: if that does what the run has done so far, it goes through; if not, the run is stuck as before. Works while the server runs.",
    ],
    words: [
      { name: "what", help: "list, show, signal, cancel or retry." },
      { name: "run", optional: true, help: "The run's id; to list, the name of a workflow." },
      { name: "signal", optional: true, help: "Its name." },
      { name: "payload", optional: true, help: "The signal's payload. Default: {}." },
    ],
    flags: [
      {
        name: "state",
        kind: "text",
        value: `<${states.join("|")}>`,
        oneOf: states,
        help: "List: runs in this state only.",
      },
      {
        name: "limit",
        kind: "int",
        value: "<n>",
        min: 1,
        max: 1_000,
        help: "List: at most so many. Default: 20.",
      },
      appFlag,
      dataFlag,
      jsonFlag,
    ],
    examples: [
      {
        line: "keelson workflow list --state=stuck",
        happens: "Prints the runs that need somebody, with why.",
      },
      {
        line: "keelson workflow show work_run_01h455vb4pex5vsknk084sn02q",
        happens: "Prints a run and its steps.",
      },
      {
        line: `keelson workflow signal work_run_01h455vb4pex5vsknk084sn02q sent '{"parcel":"P1"}'`,
        happens: "Sends the signal. Exit status 2 when the run is over.",
      },
    ],
  },
  run: async (flags, io) =>
    (await runWordAct("workflow", acts, flags, io)) ? exits.done : exits.refused,
};

/** Each tells whether it was done. */
const acts: Readonly<Record<string, WordAct<boolean>>> = {
  list: async (door, flags, io) => {
    const runs = (await door.procedure("workflow.list", {
      workflow: flags.word("run"),
      state: flags.text("state"),
      limit: flags.int("limit") ?? 20,
    })) as readonly Shown[];
    if (flags.on("json")) io.terminal.out(JSON.stringify(runs));
    else for (const run of runs) io.terminal.out(lineOf(run));
    if (runs.length === 0 && !flags.on("json")) io.terminal.note("There are no such runs.");
    return true;
  },
  show: async (door, flags, io) => {
    const run = (await door.procedure("workflow.show", { run: runOf(flags) })) as Shown;
    if (flags.on("json")) {
      io.terminal.out(JSON.stringify(run));
      return true;
    }
    io.terminal.out(lineOf(run));
    for (const field of ["args", "status", "result", "error"]) {
      if (run[field] !== null) io.terminal.out(`  ${field}: ${JSON.stringify(run[field])}`);
    }
    for (const step of run["steps"] as readonly Shown[]) io.terminal.out(`  ${stepLine(step)}`);
    return true;
  },
  signal: (door, flags, io) => {
    const signal = flags.word("signal");
    if (signal === null) throw missing("signal");
    const payload = payloadOf(flags);
    return told(door, "workflow.sendSignal", { run: runOf(flags), signal, payload }, io);
  },
  cancel: (door, flags, io) => told(door, "workflow.stop", { run: runOf(flags) }, io),
  retry: async (door, flags, io) => {
    const run = runOf(flags);
    await door.procedure("workflow.retry", { run });
    const when = door.isServed ? "It is tried" : "Once a server runs, it is tried";
    io.terminal.note(`${when} on the newest code. What came of it: keelson workflow show ${run}`);
    return true;
  },
};

/** @throws WORK_NOT_FOUND when there is no such run. */
async function told(
  door: DataDoor,
  name: string,
  input: { readonly run: string; readonly [name: string]: Json },
  io: Io,
): Promise<boolean> {
  const isTold = (await door.procedure(name, input)) === true;
  if (!isTold) await door.procedure("workflow.show", { run: input.run });
  io.terminal.note(isTold ? "The run was told." : "The run is over: nothing was done.");
  return isTold;
}

function lineOf(run: Shown): string {
  const { id, workflow, state, startedAt, error, status } = run;
  const code = (error as { readonly code?: Json } | null)?.code;
  const more = code ?? (status === null ? "" : JSON.stringify(status));
  return [String(id), String(state).padEnd(9), String(startedAt), String(workflow), more]
    .join("  ")
    .trimEnd();
}

function stepLine(step: Shown): string {
  const { seq, kind, name, state, result, error, dueAt } = step;
  const outcome = error ?? result;
  const until = dueAt === null ? "" : ` until ${String(dueAt)}`;
  const came = state === "waiting" || outcome === null ? until : ` ${JSON.stringify(outcome)}`;
  const place = Number(seq) < 0 ? "-" : String(seq);
  return `${place.padStart(4)}  ${String(state).padEnd(9)} ${String(kind)} ${String(name)}${came}`;
}

function runOf(flags: Flags): string {
  const run = flags.word("run");
  if (run === null) throw missing("run");
  return run;
}

function missing(word: string) {
  return usageFailure({
    code: "WORD_MISSING",
    what: `The ${word} is missing.`,
    why: "Nothing is done to all runs at once.",
    fix: "Name it: keelson workflow show work_run_...; keelson workflow list shows them.",
  });
}

function payloadOf(flags: Flags): Json {
  return typedJson(flags.word("payload") ?? "{}", {
    code: "JSON_INVALID",
    what: "The payload is not JSON.",
    fix: `Quote it for the shell: '{"parcel":"P1"}'.`,
  });
}
