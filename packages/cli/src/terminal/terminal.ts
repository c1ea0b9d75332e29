// Where a command writes. Standard output carries the result and nothing else; progress, remarks and
// errors go to standard error. Colours only where a person looks (NO_COLOR and FORCE_COLOR are heard).
import { styleText } from "node:util";

/** A stream as a terminal needs it. */
export interface TextStream {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** A colour or weight that texts are shown in. */
export type Tone = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

/** Where a command writes. */
export interface Terminal {
  /** A line of the result. */
  out(line: string): void;
  /** A piece of the result as it stands, without a line end. */
  outRaw(text: string): void;
  /** A line of progress, or a remark. */
  note(line: string): void;
  /** The text in a colour for `note`, or plain when nobody looks. */
  tone(tone: Tone, text: string): string;
  /** Shows a line that the next one overwrites; `null` removes it. Nothing when nobody looks. */
  status(line: string | null): void;
  /** Whether a person looks at standard error. */
  readonly live: boolean;
}

/**
 * A terminal over two streams.
 * @param env NO_COLOR, FORCE_COLOR, CI and TERM are read, as their conventions say.
 */
export function makeTerminal(
  stdout: TextStream,
  stderr: TextStream,
  env: Readonly<Record<string, string | undefined>>,
): Terminal {
  const isTerminal = stderr.isTTY === true && env["TERM"] !== "dumb";
  const live = isTerminal && !isSet(env["CI"]);
  const coloured = (isTerminal && !isSet(env["NO_COLOR"])) || isSet(env["FORCE_COLOR"]);
  let status: string | null = null;
  const clear = (): void => {
    if (status !== null) stderr.write("\r\u001b[2K");
  };
  return {
    live,
    out: (line) => {
      stdout.write(`${line}\n`);
    },
    outRaw: (text) => {
      stdout.write(text);
    },
    note: (line) => {
      clear();
      stderr.write(`${line}\n`);
      if (status !== null) stderr.write(status);
    },
    tone: (tone, text) => (coloured ? styleText(tone, text, { validateStream: false }) : text),
    status: (line) => {
      if (!live) return;
      clear();
      status = line === null ? null : line.slice(0, Math.max(20, (stderr.columns ?? 80) - 1));
      if (status !== null) stderr.write(status);
    },
  };
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== "" && value !== "0" && value !== "false";
}
