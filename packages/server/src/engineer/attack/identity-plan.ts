// Who attacks: identities made from the rules themselves. Two owners with a world of rows each, a member who
// owns nothing, a stranger, one user for every role and for every claim that rules ask for, and nobody.
import type { Json } from "../../base/json.ts";
import type { Manifest } from "../../model/manifest.ts";
import type { RuleHints } from "./rule-hints.ts";

/** What an identity stands for. `trusted`: a role or claim that the rules name gives it more than a user has. */
export type IdentityKind = "anonymous" | "stranger" | "owner" | "member" | "trusted";

/** An identity before its user exists. */
export interface IdentityPlan {
  /** How reports call it. */
  readonly name: string;
  readonly kind: IdentityKind;
  /** Whose world of rows it belongs to; null: none. */
  readonly cohort: "a" | "b" | null;
  readonly role: string | null;
  /** Claims of its token that do not come from rows. */
  readonly claims: Readonly<Record<string, Json>>;
}

/** An identity that can call. */
export interface Identity extends IdentityPlan {
  /** Its row in `user`, or null for nobody. */
  readonly user: string | null;
  readonly token: string | null;
  /** What rules see. */
  readonly me: Readonly<Record<string, Json>>;
}

/** Plans the identities of an app. */
export function planIdentities(manifest: Manifest, hints: RuleHints): readonly IdentityPlan[] {
  const role = plainRole(manifest, hints);
  const plain = { role, claims: {} };
  const plans: IdentityPlan[] = [
    { name: "anonymous", kind: "anonymous", cohort: null, role: null, claims: {} },
    { name: "stranger", kind: "stranger", cohort: null, ...plain },
    { name: "owner A", kind: "owner", cohort: "a", ...plain },
    { name: "owner B", kind: "owner", cohort: "b", ...plain },
  ];
  if (Object.values(hints.tables).some(({ isMembership }) => isMembership)) {
    plans.push({ name: "member of A", kind: "member", cohort: "a", ...plain });
  }
  for (const trusted of hints.roles) {
    if (trusted === role) continue;
    plans.push({
      ...{ name: `role ${trusted}`, kind: "trusted", cohort: "a", role: trusted, claims: {} },
    });
  }
  for (const [claim, values] of hints.claims) {
    for (const value of values.slice(0, 3)) {
      plans.push({
        ...{ name: `${claim} ${String(value)}`, kind: "trusted", cohort: "a", role },
        claims: { [claim]: value },
      });
    }
  }
  return plans;
}

/** The role of somebody who has just signed up. */
export function plainRole(manifest: Manifest, hints: RuleHints): string | null {
  const spec = manifest.tables["user"]?.fields["role"];
  if (spec === undefined) return null;
  if (spec.default !== undefined && "value" in spec.default) return String(spec.default.value);
  if (spec.optional === true) return null;
  if (spec.kind === "oneOf") {
    return spec.values.find((value) => !hints.roles.includes(value)) ?? spec.values.at(-1) ?? null;
  }
  return "nobody-special";
}
