// A finished request as `keelson dev` shows it: one line, and below it what a developer wants to know: what
// the function wrote to the console, where it failed, which rule denied, which query wants an index.
import { inspect } from "node:util";
import {
  PlatformError,
  type DenialNote,
  type PlanEvidence,
  type Trace,
} from "@keelson/server/operator";
import { indexAdvice, type KnownIndex } from "../terminal/index-advice.ts";
import type { Terminal } from "../terminal/terminal.ts";

/** From here on a request is called slow, in microseconds. */
const slowUs = 100_000;

/** What a function wrote to the console. */
export function consoleLines(
  log: readonly { readonly level: string; readonly text: string }[],
  terminal: Terminal,
): string[] {
  return log.map(
    ({ level, text }) =>
      `    ${terminal.tone(level === "error" ? "red" : "cyan", level)} ${indented(text)}`,
  );
}

/** Lines of a request, the first its summary. */
export function requestLines(trace: Trace, terminal: Terminal): string[] {
  return [
    summary(trace, terminal),
    ...consoleLines(trace.work.log ?? [], terminal),
    ...(trace.work.denials ?? []).flatMap((denial) => denialLines(denial, terminal)),
    ...failureLines(trace.error, terminal),
  ];
}

function summary(trace: Trace, terminal: Terminal): string {
  const { code, operation, wallUs, caller, role, repeated, work } = trace;
  const verdict = code === null ? terminal.tone("green", "ok") : terminal.tone("yellow", code);
  const time = `${(wallUs / 1_000).toFixed(1)} ms`;
  const facts = [
    operation,
    wallUs >= slowUs ? terminal.tone("yellow", `${time} slow`) : time,
    ...(work.rowsRead > 0 ? [`${work.rowsRead} read`] : []),
    ...(work.rowsWritten > 0 ? [`${work.rowsWritten} written`] : []),
    ...(caller === null ? [] : [role === null ? caller : `${caller} (${role})`]),
    ...(repeated ? ["repeated: the first answer"] : []),
  ];
  return `${verdict}  ${facts.join(terminal.tone("dim", " · "))}`;
}

function denialLines(
  { table, right, field, explanation }: DenialNote,
  terminal: Terminal,
): string[] {
  const what = field === null ? `${right} of ${table}` : `${right} of ${table}.${field}`;
  const told = explanation as {
    readonly file?: unknown;
    readonly line?: unknown;
    readonly text?: unknown;
  } | null;
  const place =
    told === null ? "" : `  ${terminal.tone("cyan", `${String(told.file)}:${String(told.line)}`)}`;
  const lines = typeof told?.text === "string" ? told.text.split("\n") : [];
  return [
    `    ${terminal.tone("yellow", "denied")} ${what}${place}`,
    ...lines.map((line) => terminal.tone("dim", `      ${line}`)),
  ];
}

/** What a failure says of its place in the app while developing. */
interface FailurePlace {
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly message?: string;
  readonly frame?: string;
  readonly stack?: string;
}

/** The user's own place of a failure: message, file and line, code frame or the app's own stack. */
function failureLines(error: unknown, terminal: Terminal): string[] {
  if (error === null) return [];
  if (!(error instanceof PlatformError)) return [`    ${inspect(error)}`];
  return placeLines(error.details, terminal);
}

/** The place of a failure, from its details. */
export function placeLines(details: unknown, terminal: Terminal): string[] {
  const { development } = (details ?? {}) as { readonly development?: FailurePlace };
  if (development === undefined) return [];
  const { file, line, column, message = "", frame, stack } = development;
  const place = file === undefined ? "" : `  ${terminal.tone("cyan", `${file}:${line}:${column}`)}`;
  const below = frame ?? stack?.split("\n").slice(1).join("\n") ?? "";
  return [
    `    ${terminal.tone("red", message)}${place}`,
    ...below
      .split("\n")
      .filter((text) => text !== "")
      .map((text) => `    ${text}`),
  ];
}

/** A query that an index would serve, with the index; nothing for the others. @param known the table's indexes. */
export function planLines(
  plan: PlanEvidence,
  known: readonly KnownIndex[],
  terminal: Terminal,
): string[] {
  const { shape, fullScan, sorts } = plan;
  const advice = fullScan || sorts ? indexAdvice(plan, known) : null;
  if (advice === null) return [];
  const what = fullScan ? "reads the whole table" : "sorts what it finds";
  return [
    `${terminal.tone("yellow", "no index")}  ${shape}: ${what}`,
    `    ${terminal.tone("green", "add:")} ${advice}`,
  ];
}

function indented(text: string): string {
  return text.replaceAll("\n", "\n      ");
}
