// Tables that the platform keeps for every app beside the app's own (sessions, jobs...). They are stored, migrated,
// backed up and read by `asSystem` like any other, and nobody reaches them: one that the app's rules name becomes
// a table of the app. Their names are taken: an app can't declare them.
import { authTables } from "./auth-tables.ts";
import { hookTables } from "./hook-tables.ts";
import type { Manifest, TableModel } from "./manifest.ts";
import type { RuleTables } from "./rule-type.ts";
import { workTables } from "./work-tables.ts";
import { workflowTables } from "./workflow-tables.ts";

/** Every platform table by name, without rules. */
export const platformTables: Readonly<Record<string, TableModel>> = Object.freeze({
  ...authTables,
  ...workTables,
  ...workflowTables,
  ...hookTables,
});

/** Those that an app's rules may name, to say who reads them. The SDK has their types (sdk/src/platform-tables.ts). */
const nameable: readonly string[] = [
  ...["org", "orgMember", "orgInvitation", "authAccount", "authSession", "authEvent", "authKey"],
  ...["hookEvent", "workRun", "workJob"],
];

/** What rules see of them: private fields are not there. */
export const nameableTables: RuleTables = Object.freeze(
  Object.fromEntries(
    nameable.map((name) => {
      const fields = Object.entries(platformTables[name]?.fields ?? {});
      const open = fields.filter(([, field]) => field.private !== true);
      return [name, { fields: Object.fromEntries(open) }];
    }),
  ),
);

/** The same manifest with the platform's tables among the others: for stores, and for the gate's own work. */
export function withPlatformTables<M extends Pick<Manifest, "tables" | "platform">>(
  manifest: M,
): M {
  if (manifest.platform === undefined) return manifest;
  return { ...manifest, tables: { ...manifest.tables, ...manifest.platform } };
}
