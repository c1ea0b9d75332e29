// Failures and app mistakes as a person reads them.
import type { FailureText } from "../flags/failure.ts";
import type { Terminal } from "./terminal.ts";

/** One mistake in an app's source: the server's AppMistake, which this file only shows. */
export interface MistakeText {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly problem: string;
  readonly fix: string;
  readonly frame: string;
}

/** Prints the three lines: what failed (code), why, what to do. */
export function printFailure(terminal: Terminal, { code, what, why, fix }: FailureText): void {
  terminal.note(`${terminal.tone("red", `keelson: ${code}`)}  ${what}`);
  terminal.note(`  ${terminal.tone("dim", "why:")} ${indented(why, 7)}`);
  terminal.note(`  ${terminal.tone("dim", "do: ")} ${indented(fix, 7)}`);
}

/** Prints mistakes one after the other: place, problem, code frame, fix. */
export function printMistakes(terminal: Terminal, mistakes: readonly MistakeText[]): void {
  for (const { file, line, column, problem, fix, frame } of mistakes) {
    terminal.note("");
    terminal.note(`${terminal.tone("cyan", `${file}:${line}:${column}`)}  ${problem}`);
    for (const frameLine of frame === "" ? [] : frame.split("\n")) {
      terminal.note(
        frameLine.startsWith(">")
          ? terminal.tone("bold", frameLine)
          : terminal.tone("dim", frameLine),
      );
    }
    if (fix !== "") terminal.note(`  ${terminal.tone("green", "write:")} ${indented(fix, 9)}`);
  }
  if (mistakes.length > 0) terminal.note("");
}

/** Lines after the first begin under the first. */
function indented(text: string, columns: number): string {
  return text.replaceAll("\n", `\n${" ".repeat(columns)}`);
}
