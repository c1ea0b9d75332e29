// What a command is called, takes and teaches. Parsing, help and the reference page all read this one
// description, so that they cannot tell different stories.

/** An option. Long names only; `switch` takes no value, `texts` may be given again and again. */
export interface FlagSpec {
  readonly name: string;
  readonly kind: "switch" | "text" | "texts" | "int";
  /** How the value is called in help: `<number>`. Absent for switches. */
  readonly value?: string;
  /** Int: inclusive bounds. */
  readonly min?: number;
  readonly max?: number;
  /** Text: all values it may have. */
  readonly oneOf?: readonly string[];
  /** One sentence; says the default. */
  readonly help: string;
}

/** A word after the command's name. */
export interface WordSpec {
  readonly name: string;
  readonly optional?: true;
  readonly help: string;
}

/** An example with what happens, in a sentence. */
export interface CommandExample {
  readonly line: string;
  readonly happens: string;
}

/** A command as its users see it. */
export interface CommandSpec {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** Paragraphs: what happens, in which order, and what does not. */
  readonly about: readonly string[];
  readonly words: readonly WordSpec[];
  readonly flags: readonly FlagSpec[];
  readonly examples: readonly CommandExample[];
}

/** `--help` works on every command. */
export const helpFlag: FlagSpec = { name: "help", kind: "switch", help: "Shows this text." };

/** Machine-readable results, for commands whose result is data. */
export const jsonFlag: FlagSpec = {
  name: "json",
  kind: "switch",
  help: "Prints the result as JSON on one line, for scripts. Its shape is stable.",
};

/** The app's folder. */
export const appFlag: FlagSpec = {
  name: "app",
  kind: "text",
  value: "<folder>",
  help: "The app's folder: the one that holds keelson/app.ts. Default: the current folder.",
};

/** The data folder. */
export const dataFlag: FlagSpec = {
  name: "data",
  kind: "text",
  value: "<folder>",
  help: "Where everything that lasts is kept. Default: .keelson in the app's folder.",
};

/** A server that runs elsewhere. */
export const urlFlag: FlagSpec = {
  name: "url",
  kind: "text",
  value: "<address>",
  help: "Works through the public API of a server elsewhere, with the rights of --token.",
};

/** Credentials for `--url`. */
export const tokenFlag: FlagSpec = {
  name: "token",
  kind: "text",
  value: "<token>",
  help: "With --url: the bearer token. Default: the environment variable KEELSON_TOKEN.",
};
