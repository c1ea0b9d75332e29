// What went wrong where no request or work could tell it, as `keelson dev` shows it: a letter that was not delivered, a
// template that can't be used. The same report comes again and again while its cause lasts: it is told the first time,
// then with a count when there are ten times as many.
import { inspect } from "node:util";
import type { Terminal } from "../terminal/terminal.ts";

const textsMax = 200;
const causesMax = 4;

/** The reports of one run of `keelson dev`. */
export class DevReports {
  readonly #terminal: Terminal;
  readonly #isWhole: boolean;
  readonly #counts = new Map<string, number>();

  /** @param isWhole with stacks and everything else that is known. */
  constructor(terminal: Terminal, isWhole: boolean) {
    this.#terminal = terminal;
    this.#isWhole = isWhole;
  }

  /** Tells what was reported, unless it was told. */
  tell(error: unknown): void {
    const lines = this.#isWhole ? inspect(error).split("\n") : reportLines(error);
    // Attempts, sizes and times differ; what went wrong does not.
    const text = lines.join("\n").replaceAll(/\d+/g, "0");
    const count = (this.#counts.get(text) ?? 0) + 1;
    if (this.#counts.size >= textsMax && count === 1) this.#counts.clear();
    this.#counts.set(text, count);
    if (!isPowerOfTen(count)) return;
    const [first = "", ...others] = lines;
    const { tone } = this.#terminal;
    const times = count === 1 ? "" : tone("dim", ` · ${count} times by now`);
    this.#terminal.note(`${tone("red", "failure")}  ${first}${times}`);
    for (const line of others) this.#terminal.note(`    ${line}`);
  }

  /** The files are others now: what is still wrong is news. */
  forget(): void {
    this.#counts.clear();
  }
}

/** What happened, and below it why: the message of each cause. */
function reportLines(error: unknown): readonly string[] {
  const lines: string[] = [];
  for (let at = error; at !== undefined && at !== null && lines.length < causesMax;) {
    lines.push(at instanceof Error ? messageOf(at) : inspect(at));
    at = at instanceof Error ? at.cause : null;
  }
  return lines.flatMap((line) => line.split("\n"));
}

/** Errors of the language itself are bugs: their kind says more than their text. */
function messageOf({ name, message }: Error): string {
  return name === "Error" || name === "PlatformError" ? message : `${name}: ${message}`;
}

function isPowerOfTen(count: number): boolean {
  return /^10*$/.test(String(count));
}
