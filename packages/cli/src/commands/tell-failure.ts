// Turns whatever a command threw into its three lines and exit status: failures of the command line, coded
// refusals of the server, mistakes in the app, and bugs.
import { inspect } from "node:util";
import { readDoorFile } from "../data/door-file.ts";
import { exits, Failure, type Exit, type FailureText } from "../flags/failure.ts";
import { printFailure, printMistakes, type MistakeText } from "../terminal/failure-text.ts";
import { counted } from "../terminal/table-text.ts";
import type { Io } from "./command.ts";

/** What an error of the server looks like from outside: PlatformError, or its copy from another process. */
interface Coded {
  readonly code: string;
  readonly message: string;
  readonly details: { readonly [key: string]: unknown };
}

/** Exit statuses of codes that mean the host can't go on; every other code is a refusal. */
const exitOfCode: Readonly<Record<string, Exit>> = {
  APP_INVALID: exits.appInvalid,
  MIGRATION_REFUSED: exits.migrationRefused,
  MIGRATION_FAILED: exits.migrationRefused,
  DATA_LOCKED: exits.dataLocked,
  LISTEN_FAILED: exits.listenFailed,
  STORE_FAILED: exits.storeFailed,
  DISK_FULL: exits.diskFull,
  INTERNAL: exits.bug,
};

/** What to do about codes that a person at the command line can do something about. */
const fixes: Readonly<Record<string, string>> = {
  DATA_LOCKED: "Stop that process, or use another data folder: --data=<folder>",
  STORE_FAILED:
    "Mend what stands there, or put a backup in the place of the database: keelson restore <file> --replace",
  LISTEN_FAILED: "Stop what uses the address, or choose another with --port.",
  MIGRATION_REFUSED: "See what would change: keelson migrate --plan",
  DISK_FULL: "Free some space and start again: nothing that was acknowledged is lost.",
  FUNCTION_NOT_FOUND: "Functions are called module.name and listed in keelson/app.ts.",
  USER_NOT_FOUND: "Make one: keelson token --as=<e-mail address>",
  SIGN_IN_REQUIRED: "Add --as=<user>.",
  CALL_DENIED:
    "Add --as=<user> with a role that the function allows. One that allows nobody runs without --as.",
  TOKEN_EXPIRED: "Make a new one: keelson token --as=<user>",
  TOKEN_INVALID: "Make one with keelson token on the server's machine.",
};

/** Codes whose cause is about this machine: whoever runs a command on it may know paths and the engine's words. */
const causeTold: ReadonlySet<string> = new Set(["DATA_LOCKED", "STORE_FAILED", "DISK_FULL"]);
const causesMax = 4;

/** STORE_FAILED is said of more than the database, and only that is in a backup. */
const storeFixes: readonly (readonly [told: RegExp, fix: string])[] = [
  [
    /^part: token keys$/,
    "Put your own copy of keys.json there: backups do not hold it. Without one, move the file away: new keys are made, everybody signs in again, and tokens and authenticator apps of before are worth nothing.",
  ],
  [/can't be used as a data folder\.$/, "Name a folder that you may write to: --data=<folder>"],
  [
    /^(?:unable to open database file|attempt to write a readonly database)$/,
    "See who may read and write what is in the data folder (ls -l), and how many files a process may open (ulimit -n).",
  ],
];

/** Why an address can't be listened on, of which another port mends only that it is taken. */
const listenFixes: readonly (readonly [told: RegExp, fix: string])[] = [
  [
    /^reason: EACCES$/,
    "Ports below 1024 are the system's: choose another with --port and put a proxy before it, or let this program have them.",
  ],
  [
    /^reason: (?:ENOTFOUND|EAI_AGAIN|EADDRNOTAVAIL|EINVAL)$/,
    "--host names an address of this machine, without brackets: 127.0.0.1, ::1, or 0.0.0.0 for all of them.",
  ],
];

/** By what is known of the failure. */
const ownFixes: Readonly<Record<string, typeof storeFixes>> = {
  STORE_FAILED: storeFixes,
  LISTEN_FAILED: listenFixes,
};

/** What the system refuses to anybody's code: no bug of ours. */
const systemFailures: ReadonlyMap<string, string> = new Map([
  ["EACCES", "See who may read and write there (ls -l), or name another place."],
  ["EPERM", "See who may read and write there (ls -l), or name another place."],
  ["EROFS", "Name a place that can be written to."],
  ["ENOSPC", "Free some space and try again."],
  ["EDQUOT", "Free some space and try again."],
  ["EMFILE", "Let a process open more files: ulimit -n 4096"],
  ["ENFILE", "Let the system have more files open."],
]);

/** Prints a failure. @returns the exit status. */
export function tellFailure(error: unknown, { terminal, env }: Io): Exit {
  if (error instanceof Failure) {
    printFailure(terminal, error.text);
    tellCause(error.cause);
    return error.exit;
  }
  if (isCoded(error)) {
    const mistakes = mistakesOf(error);
    printMistakes(terminal, mistakes);
    printFailure(terminal, textOf(error, mistakes, error.cause));
    tellCause(error.cause);
    return exitOfCode[error.code] ?? exits.refused;
  }
  const refused = systemRefusal(error);
  if (refused !== null) {
    printFailure(terminal, refused);
    tellCause(error);
    return exits.fileFailed;
  }
  printFailure(terminal, {
    code: "INTERNAL",
    what: "Keelson has a bug.",
    why: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
    fix: "Run it again with KEELSON_DEBUG=1 and report what it prints, with: keelson version",
  });
  tellCause(error);
  return exits.bug;

  function tellCause(cause: unknown): void {
    if (env["KEELSON_DEBUG"] !== "1" || cause === undefined) return;
    terminal.note(inspect(cause));
  }
}

function systemRefusal(error: unknown): FailureText | null {
  if (!(error instanceof Error)) return null;
  const fix = systemFailures.get(String((error as NodeJS.ErrnoException).code));
  if (fix === undefined) return null;
  const what = "A file can't be read or written.";
  return { code: "FILE_REFUSED", what, why: error.message, fix };
}

function isCoded(error: unknown): error is Error & Coded {
  if (!(error instanceof Error) || !("code" in error) || !("details" in error)) return false;
  return (
    typeof error.code === "string" && typeof error.details === "object" && error.details !== null
  );
}

function mistakesOf({ code, details }: Coded): readonly MistakeText[] {
  const { mistakes } = details;
  return code === "APP_INVALID" && Array.isArray(mistakes) ? (mistakes as MistakeText[]) : [];
}

function textOf(
  { code, message, details }: Coded,
  mistakes: readonly MistakeText[],
  cause: unknown,
): FailureText {
  if (mistakes.length > 0) {
    return {
      code,
      what: `The app has ${counted(mistakes.length, "mistake")}.`,
      why: "See above.",
      fix: "Mend it in the file and line that stand there.",
    };
  }
  const facts = Object.entries(details).flatMap(([name, value]) => factLines(name, value));
  if (causeTold.has(code)) facts.push(...causeLines(cause).filter((line) => line !== message));
  return {
    code,
    what: message,
    why: facts.length === 0 ? "That is all that is known." : facts.join("\n"),
    fix: fixOf(code, facts) ?? `Look up ${code} in the reference of errors.`,
  };
}

function fixOf(code: string, facts: readonly string[]): string | undefined {
  const own = ownFixes[code]?.find(([told]) => facts.some((fact) => told.test(fact)));
  return own?.[1] ?? fixes[code];
}

/** What is known here alone: the folder, who holds it, what the engine or the system said. */
function causeLines(cause: unknown): string[] {
  const { folder } = (cause ?? {}) as { readonly folder?: unknown };
  if (cause instanceof Error && typeof folder === "string") {
    const door = readDoorFile(folder);
    const holder =
      door === null ? [] : [`Its door.json names process ${door.pid}, which serves ${door.url}.`];
    return [cause.message, ...holder];
  }
  const lines: string[] = [];
  for (let at = cause; at instanceof Error && lines.length < causesMax; { cause: at } = at) {
    if (at.message !== "") lines.push(at.message);
  }
  return lines;
}

/** A detail as lines: lists of steps and issues one line each, everything else `name: value`. */
function factLines(name: string, value: unknown): string[] {
  if (value === null || (Array.isArray(value) && value.length === 0)) return [];
  if (Array.isArray(value) && value.every(isToldOf)) return value.map(toldText);
  return [`${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`];
}

/** An issue of a value, or a step of a migration. */
interface ToldOf {
  readonly path?: string;
  readonly problem?: string;
  readonly text?: string;
}

function isToldOf(value: unknown): value is ToldOf {
  return typeof value === "object" && value !== null && ("problem" in value || "text" in value);
}

function toldText({ path, problem, text }: ToldOf): string {
  if (text !== undefined) return text;
  return path === undefined || path === "" ? String(problem) : `${path} ${problem}`;
}
