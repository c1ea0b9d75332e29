// Names of tables, fields, modules and functions: what they may look like, and which are taken.
import { defaultLimits } from "./default-limits.ts";
import { DefinitionError, type DefinitionPlace } from "./definition-error.ts";

const namePattern = /^[a-z][A-Za-z0-9]*$/;
/** Tables name their rows' ids, and the standard for those (TypeID) takes no digits. */
const tablePattern = /^[a-z][A-Za-z]*$/;

/** Words that JavaScript itself looks for on any object. */
const reserved: ReadonlySet<string> = words(
  "then catch finally constructor prototype hasOwnProperty isPrototypeOf propertyIsEnumerable " +
    "toString toLocaleString valueOf toJSON",
);

/** Words of rules, of `db` and of the client: tables and modules share names with them. */
const top = words("id me row next now db run asSystem auth batch live close");

/** Words that mean something else where names of this kind are used: in rules, filters, `db` and the client. */
const reservedFor: Readonly<Record<NamedKind, ReadonlySet<string>>> = {
  table: top,
  module: top,
  column: words("id and or not"),
  field: new Set(),
  argument: new Set(),
  // What the client offers on every table: a function of that name could not be told from it.
  function: words("list page first get count aggregate create update delete live"),
};

/** The kinds of things that have names: `column` is a table's field, `field` one of an object. */
export type NamedKind = "table" | "column" | "field" | "module" | "function" | "argument";

const kindNames: Readonly<Record<NamedKind, string>> = {
  table: "table",
  column: "field",
  field: "field",
  module: "module",
  function: "function",
  argument: "argument",
};

/** @throws DefinitionError when a name is malformed, too long or taken. */
export function checkName(kind: NamedKind, name: string, at: Function | DefinitionPlace): void {
  if (!namePattern.test(name)) {
    throw new DefinitionError(
      `${JSON.stringify(name)} can't be the name of a ${kindNames[kind]}.`,
      "Start with a small letter and go on with letters and digits: `startsAt`.",
      at,
    );
  }
  if (kind === "table" && !tablePattern.test(name)) {
    throw new DefinitionError(
      `The name of the table "${name}" holds a digit; ids begin with it and take none.`,
      "Use letters only.",
      at,
    );
  }
  if (kind === "table" && name.startsWith("sqlite")) {
    throw new DefinitionError(
      `The name of the table "${name}" starts with sqlite.`,
      "Choose another.",
      at,
    );
  }
  if (name.length > defaultLimits.nameCharsMax) {
    throw new DefinitionError(
      `The name of the ${kindNames[kind]} "${name}" is ${name.length} characters long.`,
      `Use at most ${defaultLimits.nameCharsMax}.`,
      at,
    );
  }
  if (reserved.has(name) || reservedFor[kind].has(name)) {
    throw new DefinitionError(
      `"${name}" is reserved and can't be the name of a ${kindNames[kind]}.`,
      kind === "function" && reservedFor.function.has(name)
        ? `Clients call \`${name}\` on tables; say what it is of: \`${name}Films\`.`
        : `Choose another, for example \`${name}Of\`.`,
      at,
    );
  }
}

/** @throws DefinitionError when two names differ in capitals only: databases take them for one. */
export function checkCase(
  kind: NamedKind,
  names: readonly string[],
  at: Function | DefinitionPlace,
): void {
  const seen = new Map<string, string>();
  for (const name of names) {
    const other = seen.get(name.toLowerCase());
    if (other !== undefined) {
      throw new DefinitionError(
        `The ${kindNames[kind]}s "${other}" and "${name}" differ in capitals only.`,
        "Give one of them another name.",
        at,
      );
    }
    seen.set(name.toLowerCase(), name);
  }
}

function words(text: string): ReadonlySet<string> {
  return new Set(text.split(" "));
}
