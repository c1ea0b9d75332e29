// What could not be shown, and is accepted with a reason where it stands: `// keelson-attack open: reason` above the
// function, workflow, table or rule.
import type { SourcePlace } from "../../model/manifest.ts";
import type { Rule } from "../../model/rule-ast.ts";
import { acceptedReason } from "./accepted-reason.ts";
import type { AttackTarget } from "./attack-target.ts";

/** What of a target it takes. */
type Known = Pick<AttackTarget, "manifest" | "sources">;

/** @param subject `pay.charge`, `booking`, `booking.update`. @returns the reason, or null when there is none. */
export function acceptedOpen(target: Known, subject: string): string | null {
  const { functions, tables, work } = target.manifest;
  const [table = "", operation = ""] = subject.split(".", 2);
  const rules = tables[table]?.rules as Readonly<Record<string, Rule>> | undefined;
  const rule = rules?.[operation];
  const at =
    functions[subject]?.at ??
    (Object.hasOwn(work?.workflows ?? {}, subject) ? workflowPlace(target, subject) : null) ??
    (rule === undefined ? null : { file: rule.at.file, line: rule.line, column: rule.column }) ??
    tables[table]?.at ??
    null;
  return acceptedReason(target.sources, { code: "open", subject, fields: [], at });
}

/** Where a workflow is exported: beside functions of its module, or where nothing else has its name. */
function workflowPlace({ manifest, sources }: Known, subject: string): SourcePlace | null {
  const [module = "", name = ""] = subject.split(".", 2);
  const exported = new RegExp(`^export\\s+const\\s+${name}\\b`);
  const places = [...sources].flatMap(([file, text]) => {
    const line = text.split("\n").findIndex((each) => exported.test(each)) + 1;
    return line === 0 ? [] : [{ file, line, column: 1 }];
  });
  const beside = new Set(
    Object.values(manifest.functions).flatMap((fn) =>
      fn.name.startsWith(`${module}.`) && fn.at !== undefined ? [fn.at.file] : [],
    ),
  );
  const own = places.find(({ file }) => beside.has(file));
  return own ?? (places.length === 1 ? (places[0] ?? null) : null);
}
