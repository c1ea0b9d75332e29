// The app as `keelson dev` shows it: its tables with who may do what, its functions with who may call them.
import type { AllowSpec, FunctionSpec } from "@keelson/sdk/spec";
import { counted, tableText } from "../terminal/table-text.ts";

/** What is needed of a manifest. */
export interface ShownApp {
  readonly tables: Readonly<Record<string, { readonly rules: ShownRules }>>;
  readonly functions: Readonly<Record<string, Pick<FunctionSpec, "kind" | "allow" | "route">>>;
}

type ShownRight = "read" | "create" | "update" | "delete";

/** Rules as far as they are shown; an absent one denies. */
export type ShownRules = {
  readonly [R in ShownRight]?: {
    readonly expr: { readonly kind: string; readonly value?: unknown };
  };
};

const rights: readonly ShownRight[] = ["read", "create", "update", "delete"];

/** One line a table: name, rows, rights. @param rows by table; a table without a number shows none. */
export function tableLines(app: ShownApp, rows: Readonly<Record<string, number>>): string[] {
  const lines = Object.entries(app.tables).map(([name, { rules }]) => {
    const count = rows[name];
    return [name, count === undefined ? "" : counted(count, "row"), rulesText(rules)];
  });
  return tableText(lines, ["left", "right"]);
}

/** One line a function: name, kind, who may call it. */
export function functionLines(app: ShownApp): string[] {
  const lines = Object.entries(app.functions).map(([name, { kind, allow, route }]) => [
    name,
    route === undefined ? kind : `${route.method} ${route.path}`,
    allowText(allow),
  ]);
  return tableText(lines);
}

/** Who may do what, rights of one answer together: `read: anyone · create, update, delete: by rule`. */
export function rulesText(rules: ShownRules): string {
  const answers = new Map<string, ShownRight[]>();
  for (const right of rights) {
    const answer = ruleText(rules[right]);
    answers.set(answer, [...(answers.get(answer) ?? []), right]);
  }
  if (answers.size === 1 && answers.has("nobody")) return "nobody (functions only)";
  return [...answers].map(([answer, named]) => `${named.join(", ")}: ${answer}`).join(" · ");
}

function ruleText(rule: ShownRules[ShownRight]): string {
  if (rule === undefined) return "nobody";
  if (rule.expr.kind !== "constant") return "by rule";
  return rule.expr.value === true ? "anyone" : "nobody";
}

/** `anyone`, `signed-in`, `role staff or admin`, `nobody outside`. */
export function allowText(allow: AllowSpec): string {
  if (typeof allow === "object") return `role ${allow.role.join(" or ")}`;
  return allow === "nobody" ? "nobody outside" : allow;
}
