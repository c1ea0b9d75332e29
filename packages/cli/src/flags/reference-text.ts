// docs/reference/cli.md, written from the descriptions of the commands: help and reference can't differ.
import { exits } from "./failure.ts";
import { helpFlag, type CommandSpec, type FlagSpec } from "./command-spec.ts";
import { usageLine } from "./flag-parse.ts";

const exitTexts: Readonly<Record<keyof typeof exits, string>> = {
  done: "Done.",
  usage: "The command was not written as its help says.",
  refused:
    "Something was found, or refused: rows, a migration, a function call, a check that does not hold.",
  bug: "A bug of Keelson. Run it again with `KEELSON_DEBUG=1` and report what it prints.",
  storeFailed: "The database can't be opened, or can't be trusted.",
  dataLocked: "Another process holds the data folder and can't do this for the command.",
  listenFailed: "The address is taken or may not be used.",
  appInvalid: "The app has a mistake.",
  migrationRefused: "The database can't take the app's schema, so the server does not start.",
  shutdownTimeout: "Accepted work was not done in time when the server was asked to stop.",
  diskFull: "The disk is full.",
  unreachable: "No server answers where one was expected.",
  fileFailed: "A file can't be read or written.",
};

/** The page as Markdown. */
export function referenceText(commands: readonly CommandSpec[]): string {
  return [
    "# The command line",
    "",
    "`keelson <command> [words] [options]`. Written from the commands' own help (`keelson help <command>`); a test",
    "fails when this page is stale.",
    "",
    "Options are long, `--key=value` or `--key value`; an unknown one is refused. Standard output carries the result",
    "and nothing else; progress, remarks and errors go to standard error. Colours and progress lines are for",
    "terminals (`NO_COLOR`, `FORCE_COLOR` and `CI` are heard). An error is three lines: what failed with its code, why,",
    "and what to do.",
    "",
    "| command | what it does |",
    "| --- | --- |",
    ...commands.map(({ name, summary }) => `| [${name}](#keelson-${name}) | ${summary} |`),
    "",
    ...commands.flatMap(commandLines),
    "## Exit statuses",
    "",
    "| status | meaning |",
    "| --- | --- |",
    ...Object.entries(exits).map(
      ([name, status]) => `| ${status} | ${exitTexts[name as keyof typeof exits]} |`,
    ),
    "",
    "## Environment",
    "",
    "| variable | meaning |",
    "| --- | --- |",
    "| `KEELSON_DATA` | The data folder, when `--data` is not given. |",
    "| `KEELSON_TOKEN` | The token for `--url`, when `--token` is not given. |",
    "| `KEELSON_DEBUG` | `1` shows where an error comes from. |",
    "| `NO_COLOR`, `FORCE_COLOR`, `CI` | No colours; colours; no progress lines. |",
    "",
  ].join("\n");
}

function commandLines(command: CommandSpec): string[] {
  const { name, about, words, flags, examples } = command;
  return [
    `## keelson ${name}`,
    "",
    "```sh",
    usageLine(command),
    "```",
    "",
    ...about.flatMap((paragraph) => [escaped(paragraph), ""]),
    ...(words.length === 0 ? [] : ["| word | what |", "| --- | --- |"]),
    ...words.map(({ name, help }) => `| \`${name}\` | ${escaped(help)} |`),
    ...(words.length === 0 ? [] : [""]),
    "| option | what |",
    "| --- | --- |",
    ...[...flags, helpFlag].map((flag) => `| \`${label(flag)}\` | ${escaped(flag.help)} |`),
    "",
    ...examples.flatMap(({ line, happens }) => ["```sh", line, "```", "", escaped(happens), ""]),
  ];
}

function label(flag: FlagSpec): string {
  const text = flag.value === undefined ? `--${flag.name}` : `--${flag.name}=${flag.value}`;
  return text.replaceAll("|", String.raw`\|`);
}

/** Names in angle brackets would be read as HTML. */
function escaped(text: string): string {
  return text.replaceAll("|", String.raw`\|`).replaceAll(/<([\w-]+)>/g, "&lt;$1&gt;");
}
