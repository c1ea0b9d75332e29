// The design review: runs every check over one app, in one order, and sifts out what the source allows with a
// reason. The same app gives the same report, byte for byte.
import { compareFindings, type AllowedFinding, type Finding } from "../finding.ts";
import { siftAllowed } from "./allow-comment.ts";
import { AppReview, type ReviewInput } from "./app-review.ts";
import { checkChange } from "./change.ts";
import { checkBrowserImports, checkSecrets } from "./code-secret.ts";
import { checkFields } from "./data-field.ts";
import { checkRaces } from "./data-race.ts";
import { checkTables } from "./data-table.ts";
import { checkWaits } from "./data-wait.ts";
import { checkFunctionCode } from "./function-code.ts";
import { checkWorld } from "./function-world.ts";
import { checkPlans } from "./query-plan.ts";
import { checkQueryShapes } from "./query-shape.ts";
import { checkTrustInFunctions } from "./trust-function.ts";
import { checkRelations } from "./trust-relation.ts";
import { checkTrustLogic } from "./trust-logic.ts";
import { checkTrustInRules } from "./trust-rule.ts";
import { checkWork } from "./work-code.ts";

/** What a review found. */
export interface CheckReport {
  /** Worst first. */
  readonly findings: readonly Finding[];
  /** Found, and allowed in the source with a reason. */
  readonly allowed: readonly AllowedFinding[];
  /** What was looked at. */
  readonly looked: {
    readonly tables: number;
    readonly functions: number;
    /** Functions whose source was not found: only what the manifest says of them was looked at. */
    readonly unread: readonly string[];
  };
}

const checks: readonly ((review: AppReview) => void)[] = [
  checkTrustInRules,
  checkRelations,
  checkTrustLogic,
  checkTrustInFunctions,
  checkFields,
  checkTables,
  checkRaces,
  checkPlans,
  checkQueryShapes,
  checkWorld,
  checkWork,
  checkFunctionCode,
  checkSecrets,
  checkBrowserImports,
  checkChange,
  checkWaits,
];

/** Reviews an app. */
export function checkApp(input: ReviewInput): CheckReport {
  const review = new AppReview(input);
  for (const check of checks) check(review);
  const { findings, allowed } = siftAllowed(review);
  const flows = [...review.flows, ...review.workflows];
  const read = new Set(flows.map(({ source }) => source.model.name));
  const workflows = Object.keys(input.manifest.work?.workflows ?? {});
  const names = [...Object.keys(input.manifest.functions), ...workflows];
  return {
    findings: findings.toSorted(compareFindings),
    allowed: allowed.toSorted((a, b) => compareFindings(a.finding, b.finding)),
    looked: {
      tables: review.tables.length,
      functions: names.length,
      unread: names.filter((name) => !read.has(name)),
    },
  };
}
