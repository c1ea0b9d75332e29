// A mistake in an app's source, told so that a person can mend it at once.
import { PlatformError } from "../base/platform-error.ts";

/** One mistake. Lines and columns count from 1; `file` is relative to the app's folder. */
export interface AppMistake {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** What is wrong, in a sentence. */
  readonly problem: string;
  /** What to write instead, in a sentence or as code. */
  readonly fix: string;
  /** The lines around it with a caret under the place. */
  readonly frame: string;
}

/** Everything found wrong with an app at once. */
export class AppInvalid extends PlatformError {
  readonly mistakes: readonly AppMistake[];

  /** @param mistakes at least one. */
  constructor(mistakes: readonly AppMistake[]) {
    super("APP_INVALID", { mistakes: mistakes.map((mistake) => ({ ...mistake })) });
    this.mistakes = mistakes;
  }
}

/**
 * Draws the lines around a place with a caret under it.
 * @param source the file's text. @param line from 1. @param column from 1.
 */
export function codeFrame(source: string, line: number, column: number): string {
  const lines = source.split("\n");
  const first = Math.max(1, line - 2);
  const last = Math.min(lines.length, line + 2);
  const gutter = String(last).length;
  const out: string[] = [];
  for (let number = first; number <= last; number++) {
    const mark = number === line ? ">" : " ";
    out.push(`${mark} ${String(number).padStart(gutter)} | ${lines[number - 1] ?? ""}`);
    if (number === line) out.push(`  ${" ".repeat(gutter)} | ${" ".repeat(column - 1)}^`);
  }
  return out.join("\n");
}
