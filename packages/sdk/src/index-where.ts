// Checks the filter of a partial index while the schema is evaluated: its fields and operators.
import { DefinitionError } from "./definition-error.ts";
import type { FieldSpec, Json, WhereSpec } from "./spec.ts";

const operators: ReadonlySet<string> = new Set(
  "eq not gt gte lt lte in notIn startsWith".split(" "),
);

/** @returns the filter as JSON, frozen. @throws DefinitionError for an unknown field or operator. */
export function checkIndexWhere(
  where: unknown,
  fields: Readonly<Record<string, FieldSpec>>,
  at: Function,
): WhereSpec {
  if (!isPlain(where)) {
    throw new DefinitionError(
      "The `where` of an index is not an object.",
      'Write { where: { status: "held" } }.',
      at,
    );
  }
  for (const [key, value] of Object.entries(where)) {
    if (key === "and" || key === "or") {
      for (const part of partsOf(key, value, at)) checkIndexWhere(part, fields, at);
    } else if (key === "not") {
      checkIndexWhere(value, fields, at);
    } else {
      checkCondition(key, value, fields, at);
    }
  }
  return Object.freeze(structuredClone(where)) as { readonly [key: string]: Json };
}

function checkCondition(
  name: string,
  condition: unknown,
  fields: Readonly<Record<string, FieldSpec>>,
  at: Function,
): void {
  if (!Object.hasOwn(fields, name)) {
    throw new DefinitionError(
      `The \`where\` of an index names "${name}", which is no field.`,
      namesOf(fields),
      at,
    );
  }
  if (!isPlain(condition)) return;
  for (const operator of Object.keys(condition)) {
    if (operators.has(operator)) continue;
    throw new DefinitionError(
      `"${operator}" is no condition that an index can have.`,
      `Use one of ${[...operators].join(", ")}.`,
      at,
    );
  }
}

/** A hint that lists a table's fields. */
export function namesOf(fields: Readonly<Record<string, FieldSpec>>): string {
  return `The fields are ${Object.keys(fields).join(", ")}.`;
}

function partsOf(key: string, value: unknown, at: Function): readonly unknown[] {
  if (Array.isArray(value) && value.length > 0) return value;
  throw new DefinitionError(
    `\`${key}\` is not a list of filters.`,
    `Write { ${key}: [{ ... }, { ... }] }.`,
    at,
  );
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
