// The same questions of a filter: which values a row must have, and which fields it looks at.
import type { Json } from "../base/json.ts";
import type { FieldCondition, Where } from "../model/query-form.ts";
import {
  jointKeys,
  keysMax,
  prefixRange,
  rangeKeys,
  unionOfKeys,
  type IndexKeys,
  type Narrowest,
} from "./index-key.ts";

/** The values that a row must have to match. */
export function whereKeys(where: Where, narrowest: Narrowest): IndexKeys {
  switch (where.kind) {
    case "field":
      return conditionKeys(where.field, where.condition, narrowest);
    case "and":
      return jointKeys(
        where.parts.map((part) => whereKeys(part, narrowest)),
        narrowest,
      );
    case "or":
      return unionOfKeys(where.parts.map((part) => whereKeys(part, narrowest)));
    case "not":
      return null;
    default:
      return where satisfies never;
  }
}

function conditionKeys(field: string, condition: FieldCondition, narrowest: Narrowest): IndexKeys {
  const { eq, in: options, gt, gte, lt, lte, startsWith } = condition;
  if (eq !== undefined) return [{ kind: "value", field, value: eq }];
  if (options !== undefined && options.length <= keysMax) {
    return options.map((value: Json) => ({ kind: "value", field, value }));
  }
  // Ends that are not in a range count as if they were: whoever is found there is asked for sure.
  const ranges = [
    rangeKeys(field, gt ?? null, lt ?? null),
    rangeKeys(field, gte ?? null, lte ?? null),
  ];
  if (startsWith !== undefined) {
    ranges.push([{ kind: "range", field, range: prefixRange(startsWith) }]);
  }
  return jointKeys(ranges, narrowest);
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
