// Judges what a request at a table's own door changed. The rules decide whether it was allowed; then whether
// rules that allow it can be meant: a row of somebody else changed, a row made in another's name, moved to
// another owner or tenant, a right raised, a state that others decide, a price of one's own.
import type { TableModel } from "../../model/manifest.ts";
import type { Rule } from "../../model/rule-ast.ts";
import type { Change, Row } from "../../store/store.ts";
import type { HoleCode } from "./hole-codes.ts";
import type { Identity } from "./identity-plan.ts";
import { isAuthorityState, isHoldingName, isPrivilegeName } from "./sensitive-name.ts";
import type { AttackSession, Observation, ProbeAbout } from "./session.ts";

/** Fields that nobody sets on themselves, on any table. */
const heldByHouse = new Set(
  "balance credits verified isverified emailverified approved isapproved quota banned suspended isadmin".split(
    " ",
  ),
);

/** Looks at what a table's door let through. */
export function writeOracle(seen: Observation, session: AttackSession): void {
  const { about } = seen.probe;
  if (about.kind !== "table" || !seen.isOk) return;
  const change = askedChange(seen, about);
  if (change === undefined) return;
  const given = Object.keys(bodyOf(seen));
  if (!isAllowed(session, seen.by, change, given, seen.changes)) {
    add(seen, session, change, {
      ...{
        code: "A301",
        aspect: `${about.operation} ${seen.probe.probe}`,
        rule: undefined,
        fields: [],
      },
      says: `${seen.by.name} may not ${about.operation} this row of ${about.table}, and did`,
    });
    return;
  }
  if (seen.by.kind === "trusted") return;
  judgeDesign(seen, session, change, null);
}

/** The change that was asked for: others of its table go along with it, as references say. */
function askedChange(
  { changes, request }: Observation,
  { table, operation }: ProbeAbout & { readonly kind: "table" },
): Change | undefined {
  const own = changes.filter((change) => change.table === table);
  const fitting = own.filter(({ before, after }) => {
    if (operation === "create") return before === null;
    return operation === "delete" ? after === null : before !== null && after !== null;
  });
  const text = `${request.path} ${request.body ?? ""}`;
  return fitting.find(({ id }) => text.includes(id)) ?? fitting[0] ?? own[0];
}

/** Whether the rules allow a change. @param along what was changed with it, so that the rules see the data of before. */
export function isAllowed(
  session: AttackSession,
  by: Identity,
  change: Change,
  given: readonly string[],
  along: readonly Change[] = [change],
): boolean {
  const { judge, world } = session;
  const { table, before, after } = change;
  // Rules speak of the data as it was.
  world.revert(along);
  try {
    if (after === null) return before !== null && judge.deletes(by.me, table, before);
    const write = { row: before, next: after, given };
    return before === null
      ? judge.creates(by.me, table, write)
      : judge.updates(by.me, table, write);
  } finally {
    world.apply(along);
  }
}

/** Judges a change that the rules allow. @param via the function that made it, or null for a table's door. */
export function judgeDesign(
  seen: Observation,
  session: AttackSession,
  change: Change,
  via: string | null,
): void {
  const { by } = seen;
  const model = session.judge.table(change.table);
  const { before, after } = change;
  const found = (code: HoleCode, rule: Rule | undefined, fields: readonly string[], says: string) =>
    add(seen, session, change, { code, aspect: fields.join(), rule, fields, says, via });
  if (before !== null && session.isOutsider(by, change.table, before)) {
    outsider(session, by, model, change, found);
    return;
  }
  if (after === null) return;
  if (before === null) created(session, by, model, after, found);
  else moved(session, by, model, { before, after }, found);
  raised(session, by, model, { before, after }, found);
  if (via === null) stated(session, by, model, { before, after }, found);
}

type Found = (
  code: HoleCode,
  rule: Rule | undefined,
  fields: readonly string[],
  says: string,
) => void;

function outsider(
  session: AttackSession,
  by: Identity,
  model: TableModel,
  { before, after }: Change,
  found: Found,
): void {
  const { name, rules } = model;
  const hints = session.hints.tables[name];
  if (hints === undefined || before === null) return;
  const verb = after === null ? "deletes" : "changes";
  const rule = after === null ? rules.delete : rules.update;
  if (hints.owners.size + hints.parents.size > 0) {
    found(
      after === null ? "A104" : "A103",
      rule,
      [],
      `${by.name} ${verb} a row of ${name} that belongs to another`,
    );
  } else if (hints.tenants.size > 0) {
    found("A111", rule, [], `${by.name} ${verb} a row of another tenant in ${name}`);
  } else if (by.kind === "anonymous" || holdsValue(model)) {
    found("A112", rule, [], `${by.name} ${verb} rows of ${name}`);
  }
}

/** Whether a table that nobody owns still matters: prices, stock, settings. */
function holdsValue({ name, fields }: TableModel): boolean {
  if (/setting|config|feature|role|permission|price|tariff|catalog/i.test(name)) return true;
  return Object.entries(fields).some(
    ([field, spec]) => spec.kind === "money" || (spec.kind === "int" && isHoldingName(field)),
  );
}

function created(
  session: AttackSession,
  by: Identity,
  model: TableModel,
  after: Row,
  found: Found,
): void {
  const { name, rules } = model;
  const hints = session.hints.tables[name];
  if (hints === undefined) return;
  const owners = [...hints.owners].filter((field) => field !== "id" && after[field] !== null);
  const isMine = owners.some((field) => after[field] === by.user && by.user !== null);
  const parents = strangeParents(session, by, model, after);
  // Who may let somebody in names another: that is what inviting is.
  const isInvitation = hints.isMembership && parents.length === 0;
  if (name !== "user" && owners.length > 0 && !isMine && !isInvitation) {
    found(
      "A105",
      rules.create,
      owners,
      `${by.name} creates a row of ${name} that belongs to another`,
    );
  } else if (hints.isMembership && isMine && parents.length > 0) {
    found(
      "A108",
      rules.create,
      parents,
      `${by.name} becomes a member where nobody let them in (${name}.${parents.join(", ")})`,
    );
  } else if (owners.length === 0 && parents.length > 0) {
    found(
      "A105",
      rules.create,
      parents,
      `${by.name} puts a row of ${name} under another's ${parents.join(", ")}`,
    );
  }
  for (const [claim, field] of hints.tenants) {
    if (after[field] !== null && after[field] !== by.me[claim]) {
      found("A111", rules.create, [field], `${by.name} creates a row of ${name} in another tenant`);
    }
  }
  if (
    owners.length + hints.parents.size + hints.tenants.size === 0 &&
    holdsValue(model) &&
    name !== "user"
  ) {
    found("A112", rules.create, [], `${by.name} creates rows of ${name}`);
  }
}

function moved(
  session: AttackSession,
  by: Identity,
  model: TableModel,
  { before, after }: { readonly before: Row; readonly after: Row },
  found: Found,
): void {
  const { name, rules } = model;
  const hints = session.hints.tables[name];
  if (hints === undefined) return;
  const owners = [...hints.owners].filter((field) => field !== "id");
  const bound = owners.filter((field) => hints.boundOwners.has(field));
  const left = (field: string): boolean => before[field] === by.user && after[field] !== by.user;
  const isLost = owners.every((field) => after[field] !== by.user);
  const gone = (bound.length > 0 ? bound : owners).filter(
    (field) => (bound.length > 0 || isLost) && left(field),
  );
  if (gone.length > 0) {
    found(
      "A106",
      rules.update,
      gone,
      `${by.name} hands a row of ${name} to another (${gone.join(", ")})`,
    );
  }
  for (const [claim, field] of hints.tenants) {
    if (after[field] !== before[field] && after[field] !== by.me[claim]) {
      found("A106", rules.update, [field], `${by.name} moves a row of ${name} to another tenant`);
    }
  }
  const changed = strangeParents(session, by, model, after).filter(
    (field) => after[field] !== before[field],
  );
  if (changed.length === 0) return;
  const write = { row: null, next: after, given: [] };
  if (!session.judge.creates(by.me, name, write)) {
    found(
      "A106",
      rules.update,
      changed,
      `${by.name} moves a row of ${name} under another's ${changed.join(", ")}, where they may not create one`,
    );
  }
}

function raised(
  session: AttackSession,
  by: Identity,
  model: TableModel,
  { before, after }: { readonly before: Row | null; readonly after: Row },
  found: Found,
): void {
  const { name, rules, fields } = model;
  const hints = session.hints.tables[name];
  if (hints === undefined) return;
  for (const [field, spec] of Object.entries(fields)) {
    const decides = hints.privileges.has(field);
    const named = name === "user" ? isPrivilegeName(field) : heldByHouse.has(field.toLowerCase());
    if ((!decides && !named) || spec.kind === "ref" || spec.kind === "id") continue;
    const value = after[field] ?? null;
    if (before === null) {
      // On create only what is more than the least counts, and one who opens a room of their own may.
      const isMore =
        name === "user"
          ? isMoreThanDefault(model, field, value)
          : (hints.literals.get(field) ?? []).includes(value);
      if (!isMore || (name !== "user" && by.kind !== "member" && by.kind !== "stranger")) continue;
      found(
        "A107",
        rules.create,
        [field],
        `${by.name} creates a row of ${name} with ${field} ${JSON.stringify(value)}`,
      );
    } else if (value !== before[field] && session.isOwn(by, name, before)) {
      const rule = rules.fields[field]?.write ?? rules.update;
      found(
        "A107",
        rule,
        [field],
        `${by.name} sets ${field} of their own row of ${name} to ${JSON.stringify(value)}`,
      );
    }
  }
}

function isMoreThanDefault({ fields }: TableModel, field: string, value: unknown): boolean {
  const spec = fields[field];
  if (value === null || value === false || value === 0) return false;
  const initial = spec?.default;
  if (initial !== undefined && "value" in initial) return initial.value !== value;
  return spec?.kind === "oneOf" ? spec.values[0] !== value : true;
}

function stated(
  session: AttackSession,
  by: Identity,
  model: TableModel,
  { before, after }: { readonly before: Row | null; readonly after: Row },
  found: Found,
): void {
  const { name, rules, fields } = model;
  for (const [field, spec] of Object.entries(fields)) {
    const value = after[field] ?? null;
    if (before !== null && before[field] === value) continue;
    const rule = before === null ? rules.create : rules.update;
    const isState = spec.kind === "oneOf" && typeof value === "string" && isAuthorityState(value);
    const isFlag =
      spec.kind === "bool" &&
      value === true &&
      isAuthorityState(field) &&
      !heldByHouse.has(field.toLowerCase());
    if (isState || isFlag) {
      found(
        "A109",
        rule,
        [field],
        `${by.name} makes ${name}.${field} ${JSON.stringify(value)} on their own`,
      );
    }
    if (spec.kind === "money") priced(session, by, model, { field, after, rule }, found);
  }
}

function priced(
  session: AttackSession,
  by: Identity,
  { name, fields }: TableModel,
  {
    field,
    after,
    rule,
  }: { readonly field: string; readonly after: Row; readonly rule: Rule | undefined },
  found: Found,
): void {
  for (const [ref, spec] of Object.entries(fields)) {
    if (spec.kind !== "ref") continue;
    const parent = session.judge.manifest.tables[spec.table];
    if (parent?.fields[field]?.kind !== "money") continue;
    const price = session.world.row(spec.table, String(after[ref]))?.[field];
    if (price !== undefined && price !== after[field]) {
      found(
        "A110",
        rule,
        [field],
        `${by.name} writes ${name}.${field} ${String(after[field])} where ${spec.table}.${field} is ${String(price)}`,
      );
    }
  }
}

/** References that relate the row to others, and lead to a row that is not the identity's business. */
function strangeParents(
  session: AttackSession,
  by: Identity,
  { name, fields }: TableModel,
  row: Row,
): string[] {
  const hints = session.hints.tables[name];
  const related = new Set(hints?.parents ?? []);
  // Members are let in through the references of their table.
  if (hints?.isMembership === true) {
    for (const [field, spec] of Object.entries(fields)) {
      if (spec.kind === "ref" && spec.table !== "user") related.add(field);
    }
  }
  return [...related].filter((field) => {
    const spec = fields[field];
    if ((spec?.kind !== "ref" && spec?.kind !== "id") || typeof row[field] !== "string")
      return false;
    const parent = session.world.row(spec.table, row[field]);
    return parent !== null && session.isOutsider(by, spec.table, parent);
  });
}

function add(
  { by, request, answer }: Observation,
  session: AttackSession,
  changed: Change,
  parts: {
    readonly code: HoleCode;
    readonly aspect: string;
    readonly rule: Rule | undefined;
    readonly fields: readonly string[];
    readonly says: string;
    readonly via?: string | null;
  },
): void {
  const { code, aspect, rule, fields, says, via = null } = parts;
  session.findings.add({
    ...{ code, aspect, fields, by, request, status: answer.status, changed },
    subject: via ?? changed.table,
    says: via === null ? says : `${via}: ${says}`,
    ...(via === null ? { rule } : {}),
  });
}

function bodyOf({ request }: Observation): object {
  try {
    const body = JSON.parse(request.body ?? "{}") as unknown;
    return typeof body === "object" && body !== null ? body : {};
  } catch {
    return {};
  }
}
