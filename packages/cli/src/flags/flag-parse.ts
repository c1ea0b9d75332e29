// Turns the words of a command line into checked values: `--key=value` or `--key value`, long options
// only, no repeats, no abbreviations, nothing unknown. Everything after `--` is a word.
import type { CommandSpec, FlagSpec } from "./command-spec.ts";
import { helpFlag } from "./command-spec.ts";
import { usageFailure, type Failure } from "./failure.ts";
import { suggestion } from "./suggestion.ts";

/** What was written, checked against the command's description. */
export interface Flags {
  /** A word by its name, or null when it is optional and absent. */
  word(name: string): string | null;
  /** A word that is not optional. */
  needWord(name: string): string;
  on(name: string): boolean;
  text(name: string): string | null;
  texts(name: string): readonly string[];
  int(name: string): number | null;
}

/**
 * Parses a command's words.
 * @param argv the words after the command's name.
 * @throws Failure (exit 1) FLAG_UNKNOWN, FLAG_REPEATED, FLAG_VALUE_MISSING, FLAG_VALUE_INVALID, WORD_MISSING,
 * WORD_UNKNOWN. Never for words that are missing beside `--help`.
 */
export function parseFlags(command: CommandSpec, argv: readonly string[]): Flags {
  const flags = new Map([...command.flags, helpFlag].map((flag) => [flag.name, flag]));
  const values = new Map<string, string[]>();
  const words: string[] = [];
  let literal = false;
  for (let index = 0; index < argv.length; index++) {
    const item = argv[index] as string;
    if (literal || item === "-" || !item.startsWith("-")) {
      words.push(item);
      continue;
    }
    if (item === "--") {
      literal = true;
      continue;
    }
    const equals = item.indexOf("=");
    const name = equals === -1 ? item.slice(2) : item.slice(2, equals);
    const flag = item.startsWith("--") ? flags.get(name) : undefined;
    if (flag === undefined) throw unknownFlag(command, item, [...flags.keys()]);
    let value = equals === -1 ? null : item.slice(equals + 1);
    if (flag.kind !== "switch" && value === null) {
      value = valueAfter(command, flag, argv[++index]);
    }
    const earlier = values.get(name);
    if (earlier !== undefined && flag.kind !== "texts") throw repeated(command, flag);
    values.set(name, [...(earlier ?? []), checked(command, flag, value)]);
  }
  return read(command, values, checkedWords(command, words, values.has("help")));
}

function read(
  command: CommandSpec,
  values: ReadonlyMap<string, readonly string[]>,
  words: ReadonlyMap<string, string>,
): Flags {
  const first = (name: string): string | null => values.get(name)?.[0] ?? null;
  return {
    word: (name) => words.get(name) ?? null,
    needWord: (name) => {
      const word = words.get(name);
      if (word === undefined) throw new Error(`${command.name} declares no required word ${name}`);
      return word;
    },
    on: (name) => values.has(name),
    text: first,
    texts: (name) => values.get(name) ?? [],
    int: (name) => (first(name) === null ? null : Number(first(name))),
  };
}

/** The word after a flag is its value, also when it begins with a single dash (`-` is standard input). */
function valueAfter(command: CommandSpec, flag: FlagSpec, next: string | undefined): string {
  if (next !== undefined && !next.startsWith("--")) return next;
  throw usageFailure({
    code: "FLAG_VALUE_MISSING",
    what: `--${flag.name} has no value.`,
    why: `It takes ${flag.value ?? "a value"}: ${flag.help}`,
    fix: `Write --${flag.name}=${flag.value ?? "<value>"}. ${helpHint(command)}`,
  });
}

function checked(command: CommandSpec, flag: FlagSpec, value: string | null): string {
  const wrong = (why: string): Failure =>
    usageFailure({
      code: "FLAG_VALUE_INVALID",
      what: `--${flag.name} can't be "${value ?? ""}".`,
      why,
      fix: helpHint(command),
    });
  if (flag.kind === "switch") {
    if (value !== null) throw wrong(`--${flag.name} is a switch and takes no value.`);
    return "";
  }
  if (value === null || value === "") throw wrong(`It takes ${flag.value ?? "a value"}.`);
  if (flag.oneOf !== undefined && !flag.oneOf.includes(value)) {
    const near = suggestion(value, flag.oneOf);
    throw wrong(
      `It may be ${flag.oneOf.join(", ")}${near === null ? "" : `; did you mean ${near}?`}`,
    );
  }
  if (flag.kind === "int") {
    const number = Number(value);
    const min = flag.min ?? 0;
    const max = flag.max ?? Number.MAX_SAFE_INTEGER;
    if (!/^-?\d+$/.test(value) || number < min || number > max) {
      throw wrong(`It is a whole number from ${min} to ${max}.`);
    }
  }
  return value;
}

function checkedWords(
  command: CommandSpec,
  words: readonly string[],
  helpAsked: boolean,
): ReadonlyMap<string, string> {
  const named = new Map<string, string>();
  for (const [index, word] of words.entries()) {
    const spec = command.words[index];
    if (spec === undefined) {
      throw usageFailure({
        code: "WORD_UNKNOWN",
        what: `"${word}" is one word too many.`,
        why: `The command is written: ${usageLine(command)}`,
        fix: `Leave it out, or put words with spaces in quotes. ${helpHint(command)}`,
      });
    }
    named.set(spec.name, word);
  }
  const missing = command.words.find((spec) => spec.optional !== true && !named.has(spec.name));
  if (missing !== undefined && !helpAsked) {
    throw usageFailure({
      code: "WORD_MISSING",
      what: `<${missing.name}> is missing.`,
      why: `The command is written: ${usageLine(command)}`,
      fix: `Add ${missing.help.charAt(0).toLowerCase()}${missing.help.slice(1)} ${helpHint(command)}`,
    });
  }
  return named;
}

/** How a command is written: `keelson import <table> <file> [options]`. */
export function usageLine(command: CommandSpec): string {
  const words = command.words.map(({ name, optional }) =>
    optional === true ? `[${name}]` : `<${name}>`,
  );
  const options = command.flags.length === 0 ? [] : ["[options]"];
  return ["keelson", command.name, ...words, ...options].join(" ");
}

function unknownFlag(command: CommandSpec, item: string, known: readonly string[]): Failure {
  const name = item.replace(/^-+/, "").split("=")[0] ?? "";
  const near = suggestion(name, known);
  return usageFailure({
    code: "FLAG_UNKNOWN",
    what: `There is no option ${item.split("=")[0]}.`,
    why: `keelson ${command.name} takes ${known.map((flag) => `--${flag}`).join(", ")}.`,
    fix: near === null ? helpHint(command) : `Did you mean --${near}? ${helpHint(command)}`,
  });
}

function repeated(command: CommandSpec, flag: FlagSpec): Failure {
  return usageFailure({
    code: "FLAG_REPEATED",
    what: `--${flag.name} is given twice.`,
    why: "Nothing says which of the two is meant.",
    fix: `Leave one out. ${helpHint(command)}`,
  });
}

function helpHint(command: CommandSpec): string {
  return `See: keelson help ${command.name}`;
}
