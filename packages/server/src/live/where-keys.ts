// The same questions of a filter: which values a row must have, and which fields it looks at.
import type { Json } from "../base/json.ts";
import type { Where } from "../model/query-form.ts";
import { keysMax, unionOfKeys, type IndexKeys, type Narrowest } from "./rule-parts.ts";

/** The values that a row must have to match. */
export function whereKeys(where: Where, narrowest: Narrowest): IndexKeys {
  switch (where.kind) {
    case "field": {
      const { field, condition } = where;
      if (condition.eq !== undefined) return [{ field, value: condition.eq }];
      const options = condition.in;
      if (options === undefined || options.length > keysMax) return null;
      return options.map((value: Json) => ({ field, value }));
    }
    case "and":
      return narrowest(
        where.parts.map((part) => whereKeys(part, narrowest)).filter((keys) => keys !== null),
      );
    case "or":
      return unionOfKeys(where.parts.map((part) => whereKeys(part, narrowest)));
    case "not":
      return null;
    default:
      return where satisfies never;
  }
}

/** Adds the fields that a filter looks at. */
export function addWhereFields(where: Where, into: Set<string>): void {
  switch (where.kind) {
    case "field":
      into.add(where.field);
      return;
    case "and":
    case "or":
      for (const part of where.parts) addWhereFields(part, into);
      return;
    case "not":
      addWhereFields(where.part, into);
      return;
    default:
      where satisfies never;
  }
}
