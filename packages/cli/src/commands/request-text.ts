// A finished request as `keelson dev` shows it: one line, and below it what a developer wants to know: what
// the function wrote to the console, where it failed, which rule denied, which query wants an index.
import { inspect } from "node:util";
import {
  errorCodes,
  failurePlace,
  PlatformError,
  type DenialNote,
  type PlanEvidence,
  type Trace,
} from "@keelson/server/operator";
import { indexAdvice, type KnownIndex } from "../terminal/index-advice.ts";
import type { Terminal } from "../terminal/terminal.ts";

/** From here on a request is called slow, in microseconds. */
const slowUs = 100_000;
/** A name that is missing and one that is unknown are often one slip: both are shown. */
const issuesShownMax = 2;

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
  const { error, work } = trace;
  const denials = work.denials ?? [];
  return [
    summary(trace, terminal),
    ...consoleLines(work.log ?? [], terminal),
    ...denials.flatMap((denial) => denialLines(denial, terminal)),
    ...failureLines(error, { terminal, isTold: denials.length > 0 }),
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

/**
 * The user's own place of a failure: message, file and line, code frame or the app's own stack; of a refusal what is
 * wrong, and the place where a function met it.
 * @param told.isTold whether lines before say what is wrong.
 */
function failureLines(
  error: unknown,
  { terminal, isTold }: { readonly terminal: Terminal; readonly isTold: boolean },
): string[] {
  if (error === null) return [];
  if (!(error instanceof PlatformError)) return [`    ${inspect(error)}`];
  const { code, message, details } = error;
  const lines = placeLines(details, terminal);
  if (lines.length > 0) return lines;
  const place = failurePlace(error);
  const facts = [
    ...(isTold ? [] : [wrongText({ code, text: message, details })]),
    ...(place === null
      ? []
      : [terminal.tone("cyan", `${place.file}:${place.line}:${place.column}`)]),
  ].filter((fact) => fact !== "");
  return facts.length === 0 ? [] : [`    ${facts.join("  ")}`];
}

/**
 * What of a refusal its code does not say: the first issues, its own words, the problem, or what it is about.
 * @returns "" when there is nothing to add.
 */
export function wrongText(refusal: {
  readonly code: string;
  readonly text: string;
  readonly details: unknown;
}): string {
  const { code, text } = refusal;
  const details = (refusal.details ?? {}) as Readonly<Record<string, unknown>>;
  const { issues, operation, problem, development: _, ...facts } = details;
  if (Array.isArray(issues) && issues.length > 0) return issuesText(issues);
  if (text !== errorCodes[code as keyof typeof errorCodes]?.text) return text;
  if (typeof problem === "string") {
    return typeof operation === "string" ? `${operation}: ${problem}` : problem;
  }
  return Object.entries(facts)
    .map(([name, fact]) => `${name}: ${factText(fact)}`)
    .join(", ");
}

function issuesText(issues: readonly Partial<Issue>[]): string {
  const shown = issues
    .slice(0, issuesShownMax)
    .map(({ path = "", problem = "is wrong" }) => `${path === "" ? "it" : path} ${problem}`);
  const more = issues.length - shown.length;
  return `${shown.join("; ")}${more === 0 ? "" : `; and ${more} more`}`;
}

function factText(fact: unknown): string {
  if (Array.isArray(fact)) return fact.map(factText).join(" ");
  return typeof fact === "string" ? fact : JSON.stringify(fact);
}

interface Issue {
  readonly path: string;
  readonly problem: string;
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
