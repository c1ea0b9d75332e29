// Help as text: what a command does, an example of each use with what happens, and its options.
import { helpFlag, type CommandSpec, type FlagSpec } from "./command-spec.ts";
import { usageLine } from "./flag-parse.ts";

const columnsMax = 88;

/** The list of all commands. @param version as `keelson version` prints it. */
export function overviewText(commands: readonly CommandSpec[], version: string): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  return [
    `keelson ${version} - a serverless backend in one folder of TypeScript`,
    "",
    "  keelson init my-app     makes a small, complete app to begin with",
    "  keelson dev my-app      runs it, and again whenever you save a file",
    "",
    "Commands:",
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    "",
    "keelson help <command> explains one, with examples.",
    "Results go to standard output, progress and errors to standard error.",
    "Exit status: 0 done, 1 written wrongly, 2 found or refused something, 3 and up: could",
    "not go on.",
  ].join("\n");
}

/** One command. */
export function commandText(command: CommandSpec): string {
  const flags = [...command.flags, helpFlag];
  const labels = [...command.words.map(({ name }) => `<${name}>`), ...flags.map(label)];
  const width = Math.min(26, Math.max(...labels.map((text) => text.length)));
  return [
    usageLine(command),
    "",
    ...command.about.flatMap((paragraph) => [...wrapped(paragraph, 0), ""]),
    ...(command.words.length === 0 ? [] : ["Words:"]),
    ...command.words.flatMap(({ name, help }) => entry(`<${name}>`, help, width)),
    ...(command.words.length === 0 ? [] : [""]),
    "Options:",
    ...flags.flatMap((flag) => entry(label(flag), flag.help, width)),
    "",
    command.examples.length > 1 ? "Examples:" : "Example:",
    ...command.examples.flatMap(({ line, happens }) => [`  ${line}`, ...wrapped(happens, 6)]),
  ].join("\n");
}

/** `--port=<number>`. */
function label(flag: FlagSpec): string {
  return flag.value === undefined ? `--${flag.name}` : `--${flag.name}=${flag.value}`;
}

function entry(name: string, help: string, width: number): string[] {
  const lines = wrapped(help, width + 4);
  if (name.length > width) return [`  ${name}`, ...lines];
  return [`  ${name.padEnd(width)}  ${(lines[0] ?? "").trimStart()}`, ...lines.slice(1)];
}

/** Breaks a paragraph at spaces. @param indent columns before each line. */
export function wrapped(paragraph: string, indent: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of paragraph.split(" ")) {
    if (line !== "" && indent + line.length + 1 + word.length > columnsMax) {
      lines.push(" ".repeat(indent) + line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  lines.push(" ".repeat(indent) + line);
  return lines;
}
