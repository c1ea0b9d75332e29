// `keelson work`: what waits, runs and failed, and what the operator does about it.
import type { Json } from "@keelson/sdk/spec";
import type { DataDoor } from "../data/data-door.ts";
import { appFlag, dataFlag, jsonFlag } from "../flags/command-spec.ts";
import { exits, usageFailure } from "../flags/failure.ts";
import type { Flags } from "../flags/flag-parse.ts";
import { tableText } from "../terminal/table-text.ts";
import type { Command, Io } from "./command.ts";
import { runWordAct, typedJson, type WordAct } from "./word-act.ts";

type Row = Readonly<Record<string, Json>>;

/** Lists, shows, retries, cancels and replays work. */
export const work: Command = {
  spec: {
    name: "work",
    summary: "Jobs that wait, run or failed: lists, retries, cancels, replays.",
    about: [
      "keelson work list shows jobs that wait or run, --dead those that used up their attempts, --done results that their queue keeps, --queues how much there is of each queue (to begin with, when something is amiss), --consumers how far each consumer of events and changes has come. A stranded one waits for a queue or function that the app has no more. keelson work show <id> tells all of one: its input, what caused it, and why its last attempt failed.",
      "keelson work retry <id> lets a dead letter wait again, with its attempts counted anew; --input gives it another input. A job that waits for a time runs at once. Of a cron that waits for its next tick, its function runs now, as a tick of its own, and the schedule stays as it is. An action that had begun when a server was killed can be tried again while no server runs. --all --queue=<queue> does it to every dead letter of a queue. keelson work cancel <id> takes away a job, or a dead letter; --all --queue=<queue> every job of a queue, and with --dead every dead letter of it. An action under way is told and cut off; what it did in the world stays done.",
      "keelson work replay <consumer> sends a consumer of events back to a time: it has again all that was emitted from then on and is kept. --from=start sends it to the oldest that is kept; for a consumer of a table's changes that is the only way. What it did before stays done: it is done again.",
      "Works while the server runs, and without it.",
    ],
    words: [
      { name: "what", help: "list, show, retry, cancel or replay." },
      { name: "id", optional: true, help: "A job's id, or a consumer's name." },
    ],
    flags: [
      {
        name: "dead",
        kind: "switch",
        help: "list: dead letters, the newest first. cancel --all: these.",
      },
      { name: "done", kind: "switch", help: "list: results that are kept, the newest first." },
      { name: "queues", kind: "switch", help: "list: queues, with how much there is of each." },
      { name: "consumers", kind: "switch", help: "list: consumers and where they stand." },
      {
        name: "queue",
        kind: "text",
        value: "<queue>",
        help: "list, --all: of this queue only, as list shows it: queue:mail.send.",
      },
      {
        name: "limit",
        kind: "int",
        min: 1,
        max: 1_000,
        value: "<number>",
        help: "list: at most so many. Default: 100.",
      },
      {
        name: "input",
        kind: "text",
        value: "<json>",
        help: "retry: the input to run with, in place of its own.",
      },
      {
        name: "all",
        kind: "switch",
        help: "retry: every dead letter of --queue. cancel: every job of it.",
      },
      { name: "from", kind: "text", value: "<time>", help: "replay: a time (RFC 3339), or start." },
      appFlag,
      dataFlag,
      jsonFlag,
    ],
    examples: [
      { line: "keelson work list --dead", happens: "Shows what failed for good, and why." },
      {
        line: "keelson work list --queues",
        happens: "Shows where work piles up, and where it failed.",
      },
      {
        line: `keelson work retry work_job_01k... --input='{"to":"ada@example.com"}'`,
        happens: "Runs a dead letter again, with its input mended.",
      },
      {
        line: "keelson work replay billing.invoices --from=2026-01-31T00:00:00Z",
        happens: "Gives a consumer everything since that night again.",
      },
    ],
  },
  run: async (flags, io) => {
    await runWordAct("work", acts, flags, io);
    return exits.done;
  },
};

const acts: Readonly<Record<string, WordAct<void>>> = {
  async list(door, flags, { terminal }) {
    const what = listed(flags);
    const queue = flags.text("queue");
    const limit = flags.int("limit") ?? 100;
    const input = { what, limit, ...(queue === null ? {} : { queue }), isIdle: !door.isServed };
    const rows = (await door.procedure("work.list", input)) as readonly Row[];
    if (flags.on("json")) return terminal.out(JSON.stringify(rows));
    if (rows.length === 0) return terminal.out("Nothing.");
    const columns = columnsOf[what] ?? ["id", "queue", "state", "attempts", "due", "failure"];
    // What failed is told last, where it may be long.
    const lines = rows.map((row) =>
      columns.map((column) => cell(row[column], column === "failure" ? 200 : 80)),
    );
    for (const line of tableText([columns, ...lines])) terminal.out(line);
  },
  async show(door, flags, { terminal }) {
    const row = await door.procedure("work.show", {
      id: wordOf(flags, "job"),
      isIdle: !door.isServed,
    });
    terminal.out(flags.on("json") ? JSON.stringify(row) : JSON.stringify(row, null, 2));
  },
  async retry(door, flags, { terminal }) {
    if (flags.on("all")) {
      const count = await doneToAll(door, "work.retryAll", { queue: queueOf(flags) });
      return tell(flags, terminal, { retried: count }, `${count} dead letters wait again.`);
    }
    const text = flags.text("input");
    const input = text === null ? {} : { input: inputOf(text) };
    const asked = wordOf(flags, "job");
    const isIdle = !door.isServed;
    const id = await door.procedure("work.retry", { id: asked, ...input, isIdle });
    // A dead letter's id ends as its job's does.
    const isItself = asked.replace(/^work_[a-z]+_/v, "") === String(id).replace(/^work_job_/v, "");
    const does = isItself ? "waits again" : "runs as a tick of now; the schedule stays as it was";
    tell(flags, terminal, { id }, `${String(id)} ${does}.`);
  },
  async cancel(door, flags, { terminal }) {
    if (flags.on("all")) {
      const dead = flags.on("dead");
      const count = await doneToAll(door, "work.stopAll", { queue: queueOf(flags), dead });
      const what = dead ? "dead letters" : "jobs";
      return tell(flags, terminal, { cancelled: count }, `${count} ${what} are gone.`);
    }
    const id = await door.procedure("work.stop", { id: wordOf(flags, "job") });
    tell(flags, terminal, { id }, `${String(id)} is gone.`);
  },
  async replay(door, flags, { terminal }) {
    const from = flags.text("from");
    if (from === null)
      throw missing("--from", "A consumer is sent back to a time, or to the start.");
    const consumer = wordOf(flags, "consumer");
    const to = from === "start" ? { place: 0 } : { at: from };
    await door.procedure("work.replay", { consumer, ...to });
    tell(flags, terminal, { consumer, from }, `${consumer} begins again from ${from}.`);
  },
};

/** What a list has of each row; others have those of jobs. */
const columnsOf: Readonly<Record<string, readonly string[]>> = {
  queues: ["queue", "jobs", "dead", "since", "due", "state"],
  consumers: ["name", "follows", "waitsSince"],
};

/** What one transaction does at most. */
const allMax = 500;

/** Does it to all there are, some at a time. @returns how many. */
async function doneToAll(
  door: DataDoor,
  procedure: string,
  input: { readonly [name: string]: Json },
): Promise<number> {
  let count = 0;
  for (;;) {
    const done = (await door.procedure(procedure, input)) as number;
    count += done;
    if (done < allMax) return count;
  }
}

/** @throws Failure (exit 1) FLAG_MISSING. */
function queueOf(flags: Flags): string {
  const queue = flags.text("queue");
  if (queue === null) throw missing("--queue", "--all is of one queue.");
  return queue;
}

/** @throws Failure (exit 1) FLAGS_EXCLUDE. */
function listed(flags: Flags): string {
  const kinds = ["dead", "done", "queues", "consumers"];
  const [what = "waiting", ...others] = kinds.filter((name) => flags.on(name));
  if (others.length === 0) return what;
  throw usageFailure({
    code: "FLAGS_EXCLUDE",
    what: `--${[what, ...others].join(" and --")} exclude each other.`,
    why: "A list is of one of them.",
    fix: "See: keelson help work",
  });
}

/** The word behind what is done. @throws Failure (exit 1) WORD_MISSING. */
function wordOf(flags: Flags, what: "job" | "consumer"): string {
  const word = flags.word("id");
  if (word !== null) return word;
  const list = what === "job" ? "keelson work list" : "keelson work list --consumers";
  throw usageFailure({
    code: "WORD_MISSING",
    what: `The ${what} is missing.`,
    why: "It says which one is meant.",
    fix: `Name it; ${list} shows them.`,
  });
}

function tell(flags: Flags, terminal: Io["terminal"], result: Row, text: string): void {
  terminal.out(flags.on("json") ? JSON.stringify(result) : text);
}

function cell(value: Json | undefined, charsMax: number): string {
  if (value === null || value === undefined) return "-";
  return typeof value === "string" ? value.slice(0, charsMax) : JSON.stringify(value);
}

function inputOf(text: string): Json {
  return typedJson(text, {
    code: "FLAG_VALUE_INVALID",
    what: "--input is no JSON.",
    fix: `Write it like --input='{"to":"ada@example.com"}'`,
  });
}

function missing(flag: string, why: string): Error {
  return usageFailure({
    code: "FLAG_MISSING",
    what: `${flag} is missing.`,
    why,
    fix: "See: keelson help work",
  });
}
