// Judges what a function makes of a caller's own row: paid, approved, of a better plan. Whether somebody paid or said
// yes stands in no rule, so it is read from who has a part in the row, from names, and from what else the call did.
// What can't be told is left open, never called a hole.
import type { Json } from "../../base/json.ts";
import type { Change, Row } from "../../store/store.ts";
import type { FieldSpec } from "../../model/manifest.ts";
import { partiesIn } from "./row-party.ts";
import {
  isAuthorityState,
  isGuessedName,
  isHoldingName,
  isPayerName,
  isPriceName,
  isPrivilegeName,
  isPurchaseTable,
  isSellerName,
} from "./sensitive-name.ts";
import type { HoleCode } from "./hole-codes.ts";
import type { AttackSession, Observation } from "./session.ts";

/** Money came, or went back. */
const moneyStates = new Set(["paid", "captured", "settled", "refunded"]);
/** Nobody says this of what is theirs alone. */
const judgedStates = new Set(["approved", "verified"]);
/** One side says this to the other; the rest of the states is said by either. */
const answeredStates = new Set(["accepted", "granted"]);
/** Whoever owns the row may well be the one who sends. */
const sentStates = new Set(["shipped", "fulfilled"]);

type Verdict = "hole" | "open" | null;

/** Looks at what a call made of rows of the caller's own. @param values every value of the arguments, as text. */
export function valueOracle(
  seen: Observation,
  session: AttackSession,
  name: string,
  values: ReadonlySet<string>,
): void {
  const { by, changes, byOthers } = seen;
  const fn = session.judge.manifest.functions[name];
  // What asks another server has its word; whoever knows a code has shown it.
  if (fn === undefined || by.user === null || fn.kind === "http") return;
  if ((fn.hosts?.length ?? 0) + (fn.secrets?.length ?? 0) > 0) return;
  if (Object.keys(fn.args).some(isGuessedName) || isPaidFor(session, seen)) return;
  for (const change of changes) {
    if (change.after === null || byOthers.includes(change)) continue;
    promoted(seen, session, change, name);
    priced(seen, session, change, { name, values });
    for (const [field, spec] of Object.entries(session.judge.table(change.table).fields)) {
      const state = stateOf(spec, field, change);
      if (state === null) continue;
      const verdict = verdictOn(session, seen, change, { state, values });
      const what = `${change.table}.${field} ${JSON.stringify(change.after[field])}`;
      if (verdict === "hole") {
        add(seen, session, change, {
          ...{ code: "A109", name, field },
          says: `${name} lets ${by.name} make ${what} on their own`,
        });
      } else if (verdict === "open") {
        session.inconclusive(
          name,
          `makes ${what} for whoever owns the row: whether that is theirs to say could not be told`,
        );
      }
    }
  }
}

/** The state of somebody else's word that a change brings about. */
function stateOf(spec: FieldSpec, field: string, { before, after }: Change): string | null {
  const value = after?.[field] ?? null;
  if (value === (before?.[field] ?? null)) return null;
  if (spec.kind === "oneOf") return typeof value === "string" ? stateNamed(value) : null;
  return spec.kind === "bool" && value === true ? stateNamed(field) : null;
}

function stateNamed(name: string): string | null {
  return isAuthorityState(name) ? name.toLowerCase().replace(/^is/, "") : null;
}

function verdictOn(
  session: AttackSession,
  { by }: Observation,
  { table, before, after }: Change,
  { state, values }: { readonly state: string; readonly values: ReadonlySet<string> },
): Verdict {
  const row = after ?? {};
  const parties = partiesIn(session, table, row);
  const mine = parties.filter(({ user }) => user === by.user).map(({ path }) => path);
  const others = parties.filter(({ user }) => user !== by.user);
  const single = parties.filter(({ path }) => !path.includes("."));
  const bound = session.hints.tables[table]?.boundOwners ?? new Set();
  const isMaker = mine.every(
    (path) => !path.includes(".") && (bound.has(path) || single.length === 1 || isPayerName(path)),
  );
  // Who is on both sides, or on the other one, may say it; so may who was given a rank in the house.
  if (mine.length === 0 || !isMaker || hasRank(session, by.user)) return null;
  const isPayer = mine.some(isPayerName);
  const isSeller = mine.some(isSellerName);
  if (judgedStates.has(state)) return "hole";
  if (answeredStates.has(state)) return before !== null && others.length > 0 ? "hole" : null;
  if (state === "graded") {
    const grades = Object.entries(row).filter(([field, value]) => value !== before?.[field]);
    const isGiven = grades.some(
      ([, value]) => typeof value === "number" && values.has(String(value)),
    );
    return isGiven && others.length > 0 ? "hole" : null;
  }
  if (!moneyStates.has(state) && !sentStates.has(state)) return null;
  if (isSeller || (moneyStates.has(state) && isFree(session, table, row))) return null;
  return isPayer || isPurchaseTable(table) ? "hole" : "open";
}

/** Whether a holding of the caller's own falls in the same call: that is what they pay with. */
function isPaidFor(session: AttackSession, { by, changes }: Observation): boolean {
  return changes.some(({ table, before, after }) => {
    if (before === null || !session.isOwn(by, table, before)) return false;
    return Object.entries(before).some(
      ([field, was]) => isHoldingName(field) && Number(after?.[field] ?? 0) < Number(was),
    );
  });
}

/** Whether the row and what it refers to speak of a price, and every one is nothing. */
function isFree(session: AttackSession, table: string, row: Row): boolean {
  const { fields } = session.judge.table(table);
  const rows: (readonly [string, Row])[] = [[table, row]];
  for (const [field, spec] of Object.entries(fields)) {
    const parent = spec.kind === "ref" ? session.world.row(spec.table, String(row[field])) : null;
    if (spec.kind === "ref" && parent !== null) rows.push([spec.table, parent]);
  }
  const prices = rows.flatMap(([name, each]) =>
    Object.entries(session.judge.table(name).fields).flatMap(([field, { kind }]) => {
      const isPrice = kind === "money" || (kind === "int" && isPriceName(field));
      return isPrice ? [each[field] ?? 0] : [];
    }),
  );
  return prices.length > 0 && prices.every((price) => price === 0);
}

/** Whether rules look at a rank of the caller's in a table of members. */
function hasRank(session: AttackSession, user: string | null): boolean {
  return Object.entries(session.hints.tables).some(([table, hints]) => {
    if (!hints.isMembership || hints.privileges.size === 0) return false;
    return session.world
      .rows(table)
      .some(
        (row) =>
          [...hints.owners].some((field) => row[field] === user) &&
          [...hints.privileges].some(
            (field) =>
              isPrivilegeName(field) &&
              (hints.literals.get(field) ?? []).includes(row[field] ?? null),
          ),
      );
  });
}

/** More for themselves, or for the house that they belong to. */
function promoted(seen: Observation, session: AttackSession, change: Change, name: string): void {
  const { by } = seen;
  const { table, id, before, after } = change;
  if (before === null || after === null) return;
  const isSelf = table === "user" && id === by.user;
  if (!isSelf && !isHouseOf(session, by.me, table, id)) return;
  for (const [field, spec] of Object.entries(session.judge.table(table).fields)) {
    const value = after[field] ?? null;
    if (value === before[field] || !isPrivilegeName(field)) continue;
    if (spec.kind !== "oneOf" && spec.kind !== "bool") continue;
    if (!isBetter(session, spec, field, value)) continue;
    add(seen, session, change, {
      ...{ code: "A107", name, field },
      says: `${name} lets ${by.name} set ${table}.${field} of their own row to ${JSON.stringify(value)}`,
    });
  }
}

/** A trial is given; a role counts when rules or functions ask for it. */
function isBetter(session: AttackSession, spec: FieldSpec, field: string, value: Json): boolean {
  if (spec.kind === "bool") return value === true && !/banned|suspended/i.test(field);
  if (typeof value !== "string" || /trial|free|basic|none/i.test(value)) return false;
  if (field === "role") return session.hints.roles.includes(value);
  const least = spec.default;
  return least !== undefined && "value" in least
    ? least.value !== value
    : spec.kind !== "oneOf" || spec.values[0] !== value;
}

/** Whether a row is the tenant that somebody's claim names. */
function isHouseOf(
  session: AttackSession,
  me: Readonly<Record<string, Json>>,
  table: string,
  id: string,
): boolean {
  return Object.values(session.hints.tables).some(({ tenants }) =>
    [...tenants.keys()].some((claim) => me[claim] === id && id.startsWith(`${table}_`)),
  );
}

/** A price out of the arguments, below the one of the thing. */
function priced(
  seen: Observation,
  session: AttackSession,
  change: Change,
  { name, values }: { readonly name: string; readonly values: ReadonlySet<string> },
): void {
  const { table, before, after } = change;
  const { fields } = session.judge.table(table);
  for (const [field, spec] of Object.entries(fields)) {
    const price = after?.[field];
    if (spec.kind !== "money" || typeof price !== "number" || price === before?.[field]) continue;
    if (!values.has(String(price))) continue;
    for (const [ref, { kind, ...parent }] of Object.entries(fields)) {
      if (kind !== "ref" || !("table" in parent)) continue;
      if (session.judge.manifest.tables[parent.table]?.fields[field]?.kind !== "money") continue;
      const asked = session.world.row(parent.table, String(after?.[ref]))?.[field];
      if (typeof asked !== "number" || price >= asked) continue;
      add(seen, session, change, {
        ...{ code: "A110", name, field },
        says: `${name} lets ${seen.by.name} write ${table}.${field} ${price} where ${parent.table}.${field} is ${asked}`,
      });
    }
  }
}

function add(
  { by, request, answer }: Observation,
  session: AttackSession,
  changed: Change,
  {
    code,
    name,
    field,
    says,
  }: {
    readonly code: HoleCode;
    readonly name: string;
    readonly field: string;
    readonly says: string;
  },
): void {
  const place = `${changed.table}.${field}`;
  session.findings.add({
    ...{ code, subject: name, aspect: place, fields: [place], says },
    ...{ by, request, status: answer.status, changed },
  });
}
