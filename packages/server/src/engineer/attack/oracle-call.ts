// Judges what a function changed. Functions may step outside the rules by db.asSystem; then the question is
// whether the caller's rules would have denied it and the row is somebody else's, whether the identity came in
// as an argument, whether a holding fell below zero, and what it made of rows of the caller's own.
import type { Json } from "../../base/json.ts";
import type { Change } from "../../store/store.ts";
import { isAllowed, judgeDesign } from "./oracle-write.ts";
import { isHoldingName, isPrivilegeName, isStockName } from "./sensitive-name.ts";
import { valueOracle } from "./oracle-value.ts";
import type { AttackSession, Observation } from "./session.ts";

/** Looks at what a call committed. */
export function callOracle(seen: Observation, session: AttackSession): void {
  const { about } = seen.probe;
  for (const change of seen.changes) belowZero(seen, session, change);
  if (about.kind !== "function" || seen.by.kind === "trusted") return;
  const values = textsIn(about.args);
  for (const change of seen.changes) {
    const { before, after } = change;
    if (before === null && after !== null) forged(seen, session, change, values, about.name);
    else if (before !== null) changedOther(seen, session, change, about.name);
    if (after !== null) raisedByArgument(seen, session, change, values, about.name);
  }
  if (seen.isOk) valueOracle(seen, session, about.name, values);
}

function changedOther(
  seen: Observation,
  session: AttackSession,
  change: Change,
  name: string,
): void {
  const { by, request, answer, changes } = seen;
  const { table, before, after } = change;
  if (before === null || !session.isOutsider(by, table, before)) return;
  const hints = session.hints.tables[table];
  const isSomebodys =
    hints !== undefined && hints.owners.size + hints.parents.size + hints.tenants.size > 0;
  const given = after === null ? [] : changedFields(change);
  if (isAllowed(session, by, change, given)) {
    judgeDesign(seen, session, change, name);
    return;
  }
  // Nobody's rows are the functions' own business, unless nobody at all has to sign in for it.
  if (!isSomebodys && by.kind !== "anonymous") return;
  if (after !== null && given.every((field) => isCredit(before[field], after[field]))) return;
  if (after !== null && isTaken(session, change, changes)) return;
  if (after === null && isCascade(session, change, changes)) return;
  if (
    !isSomebodys &&
    after !== null &&
    given.every((field) => isCounter(before[field], after[field]))
  )
    return;
  session.findings.add({
    ...{
      code: "A202",
      subject: name,
      aspect: table,
      fields: given.map((field) => `${table}.${field}`),
    },
    ...{ by, request, status: answer.status, changed: change },
    says: `${name} lets ${by.name} ${after === null ? "delete" : "change"} a row of ${table} that belongs to another and that rules close`,
  });
}

/** A payment, a like: the other only gains. */
function isCredit(before: Json | undefined, after: Json | undefined): boolean {
  return typeof before === "number" && typeof after === "number" && after > before;
}

/** Stock that a sale takes from. */
function isCounter(before: Json | undefined, after: Json | undefined): boolean {
  return typeof before === "number" && typeof after === "number";
}

/** What a sale takes: numbers of things that a row made in the same call refers to, and no money of theirs. */
function isTaken(session: AttackSession, change: Change, all: readonly Change[]): boolean {
  const { table, id, before, after } = change;
  const isOfThings = changedFields(change).every(
    (field) => isCounter(before?.[field], after?.[field]) && isStockName(field),
  );
  if (!isOfThings) return false;
  return all.some(
    (made) =>
      made.before === null &&
      Object.entries(session.judge.table(made.table).fields).some(
        ([field, spec]) =>
          spec.kind === "ref" && spec.table === table && made.after?.[field] === id,
      ),
  );
}

function isCascade(
  session: AttackSession,
  { table, before }: Change,
  all: readonly Change[],
): boolean {
  return Object.entries(session.judge.table(table).fields).some(
    ([field, spec]) =>
      spec.kind === "ref" &&
      all.some(
        (other) =>
          other.after === null && other.table === spec.table && other.id === before?.[field],
      ),
  );
}

function forged(
  seen: Observation,
  session: AttackSession,
  change: Change,
  values: ReadonlySet<string>,
  name: string,
): void {
  const { by, request, answer } = seen;
  const { table, after } = change;
  const hints = session.hints.tables[table];
  if (hints === undefined || after === null || table === "user") return;
  const owners = [...hints.owners].filter((field) => field !== "id");
  if (owners.some((field) => by.user !== null && after[field] === by.user)) return;
  const fromArgs = owners.filter((field) => values.has(String(after[field])));
  if (fromArgs.length === 0) return;
  if (isAllowed(session, by, change, [])) {
    judgeDesign(seen, session, change, name);
    return;
  }
  session.findings.add({
    ...{
      code: "A203",
      subject: name,
      aspect: table,
      fields: fromArgs.map((field) => `${table}.${field}`),
    },
    ...{ by, request, status: answer.status, changed: change },
    says: `${name} lets ${by.name} create a row of ${table} in the name of whoever the arguments say`,
  });
}

function raisedByArgument(
  seen: Observation,
  session: AttackSession,
  change: Change,
  values: ReadonlySet<string>,
  name: string,
): void {
  const { by, request, answer } = seen;
  const { table, before, after } = change;
  const hints = session.hints.tables[table];
  if (after === null || hints === undefined) return;
  for (const field of Object.keys(after)) {
    const isPrivilege = hints.privileges.has(field) || (table === "user" && isPrivilegeName(field));
    if (!isPrivilege || after[field] === before?.[field]) continue;
    const spec = session.judge.table(table).fields[field];
    if (spec?.kind === "ref" || spec?.kind === "id" || !values.has(String(after[field]))) continue;
    if (before === null && table !== "user") continue;
    if (before !== null && !session.isOwn(by, table, before)) continue;
    session.findings.add({
      ...{
        code: "A107",
        subject: name,
        aspect: `${table}.${field}`,
        fields: [`${table}.${field}`],
      },
      ...{ by, request, status: answer.status, changed: change },
      says: `${name} lets ${by.name} set ${table}.${field} of their own row to ${JSON.stringify(after[field])}`,
    });
  }
}

function belowZero(seen: Observation, session: AttackSession, change: Change): void {
  const { by, request, answer, probe } = seen;
  const { table, before, after } = change;
  if (after === null || before === null || by.kind === "trusted") return;
  for (const [field, spec] of Object.entries(session.judge.table(table).fields)) {
    if (spec.kind !== "int" && spec.kind !== "money" && spec.kind !== "number") continue;
    const was = before[field];
    const is = after[field];
    if (typeof was !== "number" || typeof is !== "number" || was < 0 || is >= 0) continue;
    if (!isHoldingName(field)) continue;
    const { about } = probe;
    session.findings.add({
      ...{
        code: "A206",
        subject: about.kind === "function" ? about.name : table,
        aspect: `${table}.${field}`,
      },
      ...{ fields: [`${table}.${field}`], by, request, status: answer.status, changed: change },
      says: `${by.name} brings ${table}.${field} below zero (${was} to ${is})`,
    });
  }
}

function changedFields({ before, after }: Change): string[] {
  return Object.keys(after ?? {}).filter(
    (field) => JSON.stringify(after?.[field]) !== JSON.stringify(before?.[field]),
  );
}

/** Every value in arguments, as text. */
function textsIn(args: Json): ReadonlySet<string> {
  const texts = new Set<string>();
  const walk = (value: Json): void => {
    if (value === null) return;
    if (typeof value !== "object") texts.add(String(value));
    else for (const item of Object.values<Json>(value as Record<string, Json>)) walk(item);
  };
  walk(args);
  return texts;
}
