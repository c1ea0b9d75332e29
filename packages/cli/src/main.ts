// The command line: finds the command, reads its options, runs it, and tells a failure in three lines. The
// only place that knows the process: streams, signals, environment, exit status.
import { readFileSync } from "node:fs";
import { exits, usageFailure } from "./flags/failure.ts";
import { parseFlags } from "./flags/flag-parse.ts";
import { commandText, overviewText } from "./flags/help-text.ts";
import { suggestion } from "./flags/suggestion.ts";
import { printFailure } from "./terminal/failure-text.ts";
import { makeOutput } from "./terminal/output.ts";
import { makeTerminal } from "./terminal/terminal.ts";
import { attack } from "./commands/attack.ts";
import { auth } from "./commands/auth.ts";
import { backup } from "./commands/backup.ts";
import { check } from "./commands/check.ts";
import type { Command, Io } from "./commands/command.ts";
import { dev } from "./commands/dev.ts";
import { exportCommand } from "./commands/export.ts";
import { importCommand } from "./commands/import.ts";
import { init } from "./commands/init.ts";
import { migrate } from "./commands/migrate.ts";
import { restore } from "./commands/restore.ts";
import { run } from "./commands/run.ts";
import { simulate } from "./commands/simulate.ts";
import { start } from "./commands/start.ts";
import { tellFailure } from "./commands/tell-failure.ts";
import { token } from "./commands/token.ts";
import { users } from "./commands/users.ts";
import { verify } from "./commands/verify.ts";
import { version } from "./commands/version.ts";
import { work } from "./commands/work.ts";
import { workflow } from "./commands/workflow.ts";

/** Every command, in the order that help lists them. */
export const commands: readonly Command[] = [
  init,
  dev,
  start,
  check,
  attack,
  migrate,
  token,
  run,
  importCommand,
  exportCommand,
  users,
  auth,
  work,
  workflow,
  simulate,
  backup,
  restore,
  verify,
  version,
];

/**
 * Runs a command line. @param argv the words after `keelson`.
 * @returns the exit status; never throws.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const io = makeIo();
  try {
    return await dispatch(argv, io);
  } catch (error) {
    return tellFailure(error, io);
  }
}

async function dispatch(argv: readonly string[], io: Io): Promise<number> {
  const [name = "help", ...rest] = argv;
  if (name === "help" || name === "--help" || name === "-h") return help(rest, io);
  const command = commandNamed(name === "--version" ? "version" : name);
  const flags = parseFlags(command.spec, rest);
  if (flags.on("help")) {
    io.terminal.out(commandText(command.spec));
    return exits.done;
  }
  return command.run(flags, io);
}

function help([name]: readonly string[], io: Io): number {
  const text =
    name === undefined || name === "help"
      ? overviewText(
          commands.map(({ spec }) => spec),
          io.version,
        )
      : commandText(commandNamed(name).spec);
  io.terminal.out(text);
  return exits.done;
}

function commandNamed(name: string): Command {
  const command = commands.find(({ spec }) => spec.name === name);
  if (command !== undefined) return command;
  const names = commands.map(({ spec }) => spec.name);
  const near = suggestion(name, [...names, "help"]);
  throw usageFailure({
    code: "COMMAND_UNKNOWN",
    what: `There is no command ${name}.`,
    why: `The commands are ${[...names, "help"].join(", ")}.`,
    fix: near === null ? "See: keelson help" : `Did you mean keelson ${near}? See: keelson help`,
  });
}

function makeIo(): Io {
  const file = new URL("../package.json", import.meta.url);
  const { version } = JSON.parse(readFileSync(file, "utf8")) as { readonly version: string };
  let stop: AbortController | null = null;
  const output = makeOutput(process.stdout, endWithOutput);
  // Nobody is left to be told.
  process.stderr.on("error", () => {});
  const terminal = makeTerminal(output, process.stderr, process.env);
  return {
    terminal,
    cwd: process.cwd(),
    env: process.env,
    version,
    nowMs: () => Date.now(),
    outliveOutput: () => {
      output.outlive(({ message }) => {
        printFailure(terminal, {
          code: "LOG_LOST",
          what: "Standard output takes no more lines: they are lost.",
          why: message,
          fix: "Serving goes on. Make room, or start again with a log that is read.",
        });
      });
    },
    untilStopped: () => {
      stop ??= listenForStop();
      return stop.signal;
    },
  };
}

/** `keelson export film | head` closes the pipe early: that is no failure. */
function endWithOutput(error: NodeJS.ErrnoException): never {
  if (error.code === "EPIPE") process.exit(exits.done);
  process.stderr.write(`keelson: FILE_UNWRITABLE  Standard output: ${error.message}\n`);
  process.exit(exits.fileFailed);
}

/**
 * A terminal and systemd signal a whole group of processes, and whoever started this one passes on what it got:
 * what follows so soon is the same request.
 */
const sameSignalMs = 1_000;

function listenForStop(): AbortController {
  const controller = new AbortController();
  let askedMs = 0;
  for (const [signal, status] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    process.on(signal, () => {
      if (!controller.signal.aborted) {
        askedMs = performance.now();
        controller.abort(signal);
      } else if (performance.now() - askedMs > sameSignalMs) {
        // The first asks, the second means it.
        process.exit(status);
      }
    });
  }
  return controller;
}
