// Names: parameters and constants around an expression, then the top of the file, through imports.
import type { Expression } from "oxc-parser";
import type { Found } from "./rule-source.ts";
import { refuse, rangeOf, type Reader, type Scope, type Site, type Thing } from "./rule-thing.ts";
import { errorName } from "./rule-suggest.ts";

/** Advice for globals that people reach for. */
const globalAdvice: Readonly<Record<string, string>> = {
  Date: "Use `now`, the time of the request, and compare it with fields: `row.startsAt > now`.",
  Math: "Rules know `+ - * / %` and comparisons only.",
  String: "Compare values as they are.",
  Number: "Compare values as they are.",
  Boolean: "Write a comparison: `row.x !== null`, `row.flag`.",
  BigInt: "Numbers are doubles here: write the number without `n`.",
  Object: "Rules look at single fields only.",
  Array: 'Write the list where it is used: `["a", "b"].includes(row.x)`.',
  JSON: "Rules look at single fields only.",
  NaN: "A result that is not a number is absent in rules.",
  Infinity: "Leave the bound out.",
  db: "Take it from the parameter: `({ row, me, db }) => ...`.",
  row: "Take it from the parameter: `({ row, me }) => ...`.",
  next: "Take it from the parameter: `({ next, me }) => ...`.",
  me: "Take it from the parameter: `({ row, me }) => ...`.",
  now: "Take it from the parameter: `({ row, now }) => ...`.",
  console: "Rules are read, not run. `keelson dev` tells how one was decided.",
  fetch: "Rules see the caller and the database only. Put what they need into a table.",
  process: "Rules see the caller and the database only.",
};

/** What a name stands for. */
export function readName(reader: Reader, name: string, scope: Scope, site: Site): Thing | null {
  if (name === "undefined") return { kind: "absent" };
  for (let at: Scope | null = scope; at !== null; at = at.around) {
    const thing = at.names.get(name);
    if (thing !== undefined) return thing === null ? null : placeNow(thing, site);
  }
  const found = reader.sources.find(scope.file, name);
  if (found !== null) return readFound(reader, found, name, site);
  if (scope.file.names.declared.has(name)) {
    const problem = `\`${name}\` is imported, but the module does not export it.`;
    return refuse(reader, site, problem, "Export it there, or correct the name.");
  }
  const names = [...scope.names.keys(), ...scope.file.names.declared.keys()];
  const fix = Object.hasOwn(globalAdvice, name)
    ? (globalAdvice[name] ?? "")
    : errorName(name, names, "Names here");
  return refuse(reader, site, `\`${name}\` is not known to rules.`, fix);
}

/** `now` has no place of its own: it stands where it is used. */
export function placeNow(thing: Thing, site: Site): Thing {
  if (thing.kind !== "value" || thing.value.kind !== "now") return thing;
  return { ...thing, value: { kind: "now", at: rangeOf(site) } };
}

/** What a declaration stands for. @param name how the source calls it. @param site where it is used. */
export function readFound(reader: Reader, found: Found, name: string, site: Site): Thing | null {
  if (found.kind === "namespace") return { kind: "namespace", file: found.file };
  if (found.kind === "external") {
    const problem = `\`${name}\` comes from "${found.module}", which rules can't look into.`;
    return refuse(reader, site, problem, "Write a helper arrow in your app's own files.");
  }
  const { file, declared } = found;
  const scope: Scope = { file, names: new Map(), around: null };
  switch (declared.kind) {
    case "const":
      return readOnce(reader, declared.init, scope, { name, site });
    case "function":
      return { kind: "function", node: declared.node, scope };
    case "member": {
      const problem = `\`${name}\` is taken out of something that rules can't look into.`;
      return refuse(
        reader,
        site,
        problem,
        `Write \`const ${name} = ...\` with a constant or an arrow.`,
      );
    }
    case "other": {
      const problem = `\`${name}\` is ${declared.what}: its value may change.`;
      return refuse(reader, site, problem, "Use a `const` or a helper arrow.");
    }
    default:
      return declared satisfies never;
  }
}

function readOnce(
  reader: Reader,
  init: Expression,
  scope: Scope,
  use: { name: string; site: Site },
): Thing | null {
  if (reader.open.has(init)) {
    const problem = `\`${use.name}\` refers to itself.`;
    return refuse(reader, use.site, problem, "Rules have no recursion: write the cases out.");
  }
  reader.open.add(init);
  const thing = reader.read(init, scope);
  reader.open.delete(init);
  return thing;
}

/** A literal as a value. */
export function literalThing(value: string | number | boolean, site: Site): Thing {
  const type = { string: "text", number: "number", boolean: "bool" } as const;
  return {
    kind: "value",
    value: { kind: "literal", value, at: rangeOf(site) },
    type: { kind: type[typeof value as "string" | "number" | "boolean"] },
  };
}
