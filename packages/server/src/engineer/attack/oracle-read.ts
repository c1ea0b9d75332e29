// Judges what an answer shows. What the rules deny and an answer holds is a leak: of the platform at its own
// doors, of a function where it steps outside the rules. What the rules allow and yet is plainly somebody
// else's (a secret, a personal field, a private table, another tenant's row) is a hole of the rules.
import type { CanaryPlace } from "./canary.ts";
import type { HoleCode } from "./hole-codes.ts";
import {
  fieldSensitivity,
  isBookTable,
  isKeptInValue,
  isPartName,
  isPersonTable,
  isPrivateTable,
  isVisibilityName,
} from "./sensitive-name.ts";
import type { FieldSpec } from "../../model/manifest.ts";
import type { Row } from "../../store/store.ts";
import type { Identity } from "./identity-plan.ts";
import type { AttackSession, Observation } from "./session.ts";

/** Looks for what should not be in an answer. */
export function readOracle(seen: Observation, session: AttackSession): void {
  for (const sight of seen.sights) {
    if (sight.isAllowed) {
      for (const place of sight.places) exposed(seen, session, place);
    } else leaked(seen, session, sight.places);
  }
  toldSecret(seen, session);
  crashed(seen, session);
}

/** A secret of the environment is for nobody; an address is none, though it stands among them. */
function toldSecret({ by, probe, request, answer }: Observation, session: AttackSession): void {
  const { about } = probe;
  if (about.kind !== "function") return;
  for (const name of session.judge.manifest.functions[about.name]?.secrets ?? []) {
    const value = session.target.secret(name);
    if (value.startsWith("https://") || !answer.text.includes(value)) continue;
    session.findings.add({
      ...{ code: "A201", subject: about.name, aspect: name, fields: [], by, request },
      ...{ status: answer.status },
      says: `${about.name} tells ${by.name} the secret ${name}`,
    });
  }
}

function leaked(seen: Observation, session: AttackSession, places: readonly CanaryPlace[]): void {
  const { by, probe, request, answer } = seen;
  const place = places.find(({ field }) => field !== "id") ?? places[0];
  if (place === undefined) return;
  const { table, field, id } = place;
  const row = session.world.row(table, id);
  const value = row?.[field] ?? null;
  const shown = {
    ...{ fields: [`${table}.${field}`], by, request, status: answer.status },
    leaked: { ...place, value },
  };
  const { about } = probe;
  if (about.kind === "function") {
    // An id by itself says nothing; a role is trusted to see through functions what rules do not list.
    const spec = session.judge.table(table).fields[field];
    if (spec?.kind === "id" || spec?.kind === "ref" || by.kind === "trusted") return;
    if (row !== null && session.isOwn(by, table, row) && spec?.private !== true) return;
    session.findings.add({
      ...{ ...shown, code: "A201", subject: about.name, aspect: table },
      says: `${about.name} tells ${by.name} ${table}.${field} of a row that rules close to them`,
    });
    return;
  }
  session.findings.add({
    ...{ ...shown, code: "A301", subject: table, aspect: `${probe.probe} ${field}` },
    says: `${probe.probe} shows ${by.name} ${table}.${field}, which the rules deny`,
  });
}

function exposed(seen: Observation, session: AttackSession, place: CanaryPlace): void {
  const { by, probe, request, answer } = seen;
  const { table, field, id } = place;
  const row = session.world.row(table, id);
  if (row === null || by.kind === "trusted") return;
  // One place of several may be readable, another not: only those that the rules give are judged here.
  if (!session.judge.readsField(by.me, table, row, field)) return;
  const code = exposureOf(session, seen, place);
  if (code === null) return;
  const { rules } = session.judge.table(table);
  void probe;
  session.findings.add({
    ...{ code, subject: table, aspect: "read", fields: code === "A101" ? [field] : [] },
    ...{ by, request, status: answer.status, rule: rules.fields[field]?.read ?? rules.read },
    leaked: { ...place, value: row[field] ?? null },
    says:
      code === "A101"
        ? `${by.name} reads ${table}.${field} of others`
        : `${by.name} reads rows of ${table} that belong to others`,
  });
}

function exposureOf(
  session: AttackSession,
  { by }: Observation,
  { table, field, id }: CanaryPlace,
): HoleCode | null {
  const row = session.world.row(table, id);
  const hints = session.hints.tables[table];
  if (row === null || hints === undefined) return null;
  const isOutsider = session.isOutsider(by, table, row);
  const sensitivity = fieldSensitivity(table, field);
  const isSomebodys = hints.owners.size + hints.parents.size + hints.tenants.size > 0;
  // A secret is for its owner: those of the same house are outsiders too.
  if (sensitivity === "secret" && (isOutsider || !session.isOwn(by, table, row))) {
    if (isOutsider || hints.owners.size > 0) return "A101";
  }
  if (!isOutsider) return null;
  if (sensitivity === "personal" && (isSomebodys || isPersonTable(table))) return "A101";
  if (isPrivateTable(table) && isSomebodys && table !== "user") return "A102";
  if (isKeptIn(session, table, row)) return hints.tenants.size > 0 ? "A111" : "A102";
  if (isHouses(session, table) || hangsOnClosed(session, by, table, row)) return "A102";
  const anonymous = session.people.find(({ kind }) => kind === "anonymous");
  const isPublic = anonymous !== undefined && session.judge.readsRow(anonymous.me, table, row);
  if (hints.tenants.size > 0 && by.user !== null && !isPublic) return "A111";
  return null;
}

/** Sums of money in a table that nobody owns and whose name says that it holds the house's figures. */
function isHouses(session: AttackSession, table: string): boolean {
  if (!isBookTable(table)) return false;
  return Object.values(session.judge.table(table).fields).some(({ kind }) => kind === "money");
}

/** Whether a row of a house says of itself that it is for those of the house, and not for all: `visibility: "org"`. */
function isKeptIn(session: AttackSession, table: string, row: Row): boolean {
  const { fields } = session.judge.table(table);
  const keepsIn = Object.keys(fields).some(
    (field) => isVisibilityName(field) && isKeptInValue(String(row[field])),
  );
  return (
    keepsIn &&
    Object.values(fields).some((spec) => spec.kind === "ref" && isHouse(session, spec.table))
  );
}

/** Whether rows of a table are what callers belong to: by a claim, or as members. */
function isHouse({ hints, judge }: AttackSession, house: string): boolean {
  return Object.entries(hints.tables).some(([table, { tenants, isMembership }]) => {
    const { fields } = judge.table(table);
    const leads = ([, spec]: readonly [string, FieldSpec]): boolean =>
      (spec.kind === "ref" || spec.kind === "id") && spec.table === house && house !== "user";
    const entries = Object.entries(fields);
    return isMembership
      ? entries.some((entry) => entry[0] !== "id" && leads(entry))
      : entries.some((entry) => [...tenants.values()].includes(entry[0]) && leads(entry));
  });
}

/**
 * Whether a row says what is closed elsewhere: it is a part of a row that belongs to others and is closed, as a line is
 * of its order; or everything that it must refer to is so: what is said of a refund is said of its payment.
 */
function hangsOnClosed(session: AttackSession, by: Identity, table: string, row: Row): boolean {
  const fields = Object.values(session.judge.table(table).fields);
  const closed: boolean[] = [];
  for (const [field, spec] of Object.entries(session.judge.table(table).fields)) {
    if (spec.kind !== "ref" || spec.table === "user" || spec.optional === true) continue;
    const parent = session.world.row(spec.table, String(row[field]));
    const isClosed = parent !== null && isClosedTo(session, by, spec.table, parent);
    const holdsMoney = spec.onDelete === "cascade" && fields.some(({ kind }) => kind === "money");
    if (isClosed && (holdsMoney || isPartName(table, spec.table))) return true;
    closed.push(isClosed);
  }
  return closed.length > 0 && closed.every(Boolean);
}

function isClosedTo(session: AttackSession, by: Identity, table: string, row: Row): boolean {
  const hints = session.hints.tables[table];
  const isSomebodys =
    hints !== undefined && hints.owners.size + hints.parents.size + hints.tenants.size > 0;
  return (
    isSomebodys && session.isOutsider(by, table, row) && !session.judge.readsRow(by.me, table, row)
  );
}

function crashed({ by, probe, request, answer, code }: Observation, session: AttackSession): void {
  const { about } = probe;
  if (answer.status < 500 && answer.status !== 0) return;
  // These say that the attack itself was too much at once, not that something fell over.
  if (code === "OVERLOADED" || code === "FUNCTION_INTERRUPTED" || code === "EGRESS_FAILED") return;
  const isFunction = about.kind === "function";
  // What it was answered by others was made up: it may well not understand it.
  const { functions } = session.judge.manifest;
  if (isFunction && (functions[about.name]?.hosts?.length ?? 0) > 0) return;
  session.findings.add({
    code: isFunction ? "A204" : "A301",
    subject: about.kind === "table" ? about.table : about.name,
    ...{ aspect: `${answer.status} ${code ?? ""}`, fields: [], by, request, status: answer.status },
    says: `${isFunction ? about.name : probe.probe} answers ${answer.status} ${code ?? "without a code"}`,
  });
}
