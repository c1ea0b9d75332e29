// Every code of the design review. The pages in docs/reference/checks are made from this table.
import type { CheckCode } from "./check-code.ts";
import { changeCodes } from "./codes-change.ts";
import { dataCodes } from "./codes-data.ts";
import { fieldCodes } from "./codes-field.ts";
import { functionCodes } from "./codes-function.ts";
import { queryCodes } from "./codes-query.ts";
import { ruleCodes } from "./codes-rule.ts";
import { trustCodes } from "./codes-trust.ts";
import { workCodes } from "./codes-work.ts";
import { worldCodes } from "./codes-world.ts";

const all = {
  ...trustCodes,
  ...ruleCodes,
  ...fieldCodes,
  ...dataCodes,
  ...queryCodes,
  ...workCodes,
  ...worldCodes,
  ...functionCodes,
  ...changeCodes,
} satisfies Readonly<Record<string, CheckCode>>;

/** The name of a code: `K101`. */
export type CheckCodeName = keyof typeof all;

/** The codes by name, in the order of their numbers. */
export const checkCodes: Readonly<Record<CheckCodeName, CheckCode>> = Object.freeze(
  Object.fromEntries(Object.entries(all).toSorted(([a], [b]) => (a < b ? -1 : 1))) as typeof all,
);

/** All names. */
export const checkCodeNames = Object.freeze(Object.keys(checkCodes) as readonly CheckCodeName[]);
