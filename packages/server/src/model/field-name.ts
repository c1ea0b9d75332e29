// Names of tables, fields, functions and values. One rule, so that a name means the same in JSON, SQL,
// TypeScript, URLs, GraphQL and protobuf.
import { isTypeIdPrefix, typeIdPrefix } from "../base/type-id.ts";

/** What any name looks like. */
export const namePattern = /^[a-zA-Z][a-zA-Z0-9_]{0,62}$/;

/** Names that every JavaScript object has: a field of that name would be there before it is set. */
const inherited: ReadonlySet<string> = new Set([
  ...Object.getOwnPropertyNames(Object.prototype),
  "prototype",
]);

/** Why a name can't be used anywhere, or null. */
export function nameProblem(name: string): string | null {
  if (inherited.has(name)) return "is a name that every JavaScript object has";
  if (namePattern.test(name)) return null;
  return "must start with a letter and have letters, digits and underscores only, 63 at most";
}

/** Why a name can't be a table's, or null. */
export function tableNameProblem(name: string): string | null {
  const problem = nameProblem(name);
  if (problem !== null) return problem;
  if (name === "asSystem") return "is what `db.asSystem` is called";
  if (name.toLowerCase().startsWith("sqlite"))
    return "starts with `sqlite`, which the database keeps";
  if (/^[a-z]/.test(name) && isTypeIdPrefix(typeIdPrefix(name))) return null;
  return "must start in lower case and have letters only (it is the prefix of the table's ids, which take no digit)";
}

/** Why a name can't be a field's, or null. `id` is not asked here. */
export function fieldNameProblem(name: string): string | null {
  if (name === "and" || name === "or" || name === "not") return "is a word of filters";
  return nameProblem(name);
}
