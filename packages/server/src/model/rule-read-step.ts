// `.name` behind something: fields of rows, through references, claims of `me`, tables of `db`, `.length`.
import { errorName } from "./rule-suggest.ts";
import { claimType, fieldType, tableField } from "./rule-type.ts";
import {
  describe,
  describeType,
  rangeOf,
  refuse,
  textOf,
  type Reader,
  type Site,
  type Thing,
  type ValueThing,
} from "./rule-thing.ts";
import { placeNow, readFound } from "./rule-read-name.ts";

const forbiddenClaims = new Set(["__proto__", "constructor", "prototype", "toString", "valueOf"]);

/** Steps into a thing. @param site the whole `thing.name`. */
export function stepInto(reader: Reader, thing: Thing, name: string, site: Site): Thing | null {
  const at = rangeOf(site);
  switch (thing.kind) {
    case "row": {
      const field = fieldOf(reader, thing.table, name, site);
      if (field === null) return null;
      const value = { kind: "path", root: thing.root, steps: [name], through: [], at } as const;
      return { kind: "value", value, type: fieldType(field), field, table: thing.table };
    }
    case "value":
      return stepIntoValue(reader, thing, name, site);
    case "me": {
      if (forbiddenClaims.has(name)) {
        return refuse(
          reader,
          site,
          `\`me\` has no claim \`${name}\`.`,
          "Use `me.id`, `me.role` or a claim.",
        );
      }
      const value = { kind: "path", root: { kind: "me" }, steps: [name], through: [], at } as const;
      return { kind: "value", value, type: claimType(name) };
    }
    case "db":
      if (Object.hasOwn(reader.tables, name)) return { kind: "dbTable", table: name };
      return refuse(
        reader,
        site,
        `There is no table \`${name}\`.`,
        errorName(name, Object.keys(reader.tables), "Tables"),
      );
    case "input": {
      const root = thing.roots.get(name);
      if (root !== undefined) return placeNow(root, site);
      return refuse(
        reader,
        site,
        `${capital(thing.what)} has no \`${name}\`.`,
        inputFix(name, thing),
      );
    }
    case "object": {
      const entry = thing.entries.get(name);
      if (entry !== undefined) return reader.read(entry.node, entry.scope);
      const names = [...thing.entries.keys()];
      return refuse(
        reader,
        site,
        `The object has no \`${name}\`.`,
        errorName(name, names, "It has"),
      );
    }
    case "namespace": {
      const found = reader.sources.findExport(thing.file, name);
      if (found !== null) return readFound(reader, found, name, site);
      const names = [...thing.file.names.exported.keys()];
      const problem = `\`${thing.file.path}\` exports no \`${name}\`.`;
      return refuse(reader, site, problem, errorName(name, names, "It exports"));
    }
    case "truth":
    case "absent":
    case "list":
    case "function":
    case "dbTable": {
      const problem = `\`.${name}\` of ${describe(thing)} is not part of the rule language.`;
      return refuse(reader, site, problem, stepFix(thing, name));
    }
    default:
      return thing satisfies never;
  }
}

function stepIntoValue(reader: Reader, thing: ValueThing, name: string, site: Site): Thing | null {
  const { value, type, field } = thing;
  const at = rangeOf(site);
  if (name === "length" && (type.kind === "text" || type.kind === "list" || type.kind === "any")) {
    if (value.kind === "path") {
      const length = { kind: "length", of: value, at } as const;
      return { kind: "value", value: length, type: { kind: "number" } };
    }
    return refuse(
      reader,
      site,
      "`.length` is known of fields and claims only.",
      "Write the number.",
    );
  }
  if (value.kind === "path" && field?.kind === "ref") {
    const target = fieldOf(reader, field.table, name, site);
    if (target === null) return null;
    const path = {
      kind: "path",
      root: value.root,
      steps: [...value.steps, name],
      through: [...value.through, field.table],
      at,
    } as const;
    return {
      kind: "value",
      value: path,
      type: fieldType(target),
      field: target,
      table: field.table,
    };
  }
  const isHere = value.at.file === site.file.path;
  const what = isHere ? `\`${textOf({ file: site.file, node: value.at })}\`, which is ` : "";
  const problem = `\`.${name}\` can't follow ${what}${describeType(type)}.`;
  return refuse(reader, site, problem, valueFix(thing, name));
}

function valueFix(thing: ValueThing, name: string): string {
  const { type, field } = thing;
  if (field?.kind === "id") {
    return `Declare the field as \`t.ref("${field.table}")\`: only references lead to rows.`;
  }
  if (type.kind === "opaque") {
    return "Rules do not look into json and object fields. Give what the rule needs a field of its own.";
  }
  if (thing.value.kind === "path" && thing.value.root.kind === "me") {
    return type.kind === "id"
      ? "To read the caller's own row, write `db.user.some((u) => u.id === me.id && ...)`."
      : "Claims are single values. Give it a claim of its own, or use `.includes(...)` or `.length`.";
  }
  if (name === "toLowerCase" || name === "toUpperCase" || name === "trim") {
    return "Rules compare text as it is stored. Store a normalised copy in a field of its own.";
  }
  if (type.kind === "time" || type.kind === "date") {
    return "Compare times with `now` and with each other: `row.startsAt > now`.";
  }
  return "Behind text: `.startsWith()`, `.endsWith()`, `.includes()`, `.length`; behind lists: `.includes()`, `.length`.";
}

function stepFix(thing: Thing, name: string): string {
  if (thing.kind === "dbTable") {
    return `Ask for rows with \`db.${thing.table}.some((x) => ...)\`; rules know nothing else of a table.`;
  }
  if (thing.kind === "list") return "A list of constants takes `.includes(value)`.";
  if (thing.kind === "function") return `Call the function before \`.${name}\`.`;
  return "Use fields of `row`, `next` and `me`, `now`, and constants.";
}

function inputFix(name: string, thing: Thing & { kind: "input" }): string {
  const has = [...thing.roots.keys()];
  const known = `It has ${has.map((each) => `\`${each}\``).join(", ")}.`;
  if (name === "next" && has.includes("row"))
    return `Nothing is written here: use \`row\`. ${known}`;
  if (name === "row" && has.includes("next")) {
    return `There is no row before a create: use \`next\`, or give \`create\` a rule of its own. ${known}`;
  }
  return known;
}

/** The field of a table, or a mistake. */
function fieldOf(reader: Reader, table: string, name: string, site: Site) {
  const field = tableField(reader.tables, table, name);
  if (field !== null) return field;
  if (!Object.hasOwn(reader.tables, table)) {
    return refuse(
      reader,
      site,
      `There is no table \`${table}\`.`,
      "Declare it in `define({ ... })`.",
    );
  }
  const names = ["id", ...Object.keys(reader.tables[table]?.fields ?? {})];
  const problem = `\`${table}\` has no field \`${name}\`.`;
  return refuse(reader, site, problem, errorName(name, names, "Fields"));
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
