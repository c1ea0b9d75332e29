// Work that ran (jobs, events, crons, steps of workflows) as `keelson dev` shows it: one line for what shared a
// transaction, and below it what it wrote to the console and where it failed.
import type { WorkTold } from "@keelson/server/operator";
import type { Terminal } from "../terminal/terminal.ts";
import { consoleLines, placeLines, wrongText } from "./request-text.ts";

/** Lines of work that ran, the first its summary: `ok  queue mail.send · 3 jobs · 2.1 ms`. */
export function workLines(told: WorkTold, terminal: Terminal): string[] {
  const { queue, count, did, tookMs, failure, log } = told;
  const code = failure?.code ?? null;
  const verdict = code === null ? terminal.tone("green", "ok") : terminal.tone("yellow", code);
  const facts = [
    queue.replace(":", " "),
    ...(did === null ? [] : [did]),
    ...(count === 1 ? [] : [`${count} together`]),
    `${tookMs.toFixed(1)} ms`,
  ];
  return [
    `${verdict}  ${facts.join(terminal.tone("dim", " · "))}`,
    ...consoleLines(log, terminal),
    ...(failure === null ? [] : failureLines(failure, terminal)),
  ];
}

/** With the place in the app where one is known, else what the failure says. */
function failureLines(
  { code, text, details }: NonNullable<WorkTold["failure"]>,
  terminal: Terminal,
): string[] {
  const lines = placeLines(details, terminal);
  if (lines.length > 0) return lines;
  const wrong = wrongText({ code, text, details }) || text;
  return [`    ${wrong.replaceAll("\n", "\n    ")}`];
}
