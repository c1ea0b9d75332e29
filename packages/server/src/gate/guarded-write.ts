// Creating, changing and deleting one row, with every right and promise of its table kept: values, rules of
// row and fields, references, checks, constraints. The order is the same for all: what the caller said is
// validated, then its right is asked, then the data is looked at; so a refusal never tells a caller about
// rows that it may not read.
import type { Json } from "../base/json.ts";
import { allOf, andThen, recover, type Later } from "../base/later.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { Change, Row, WriteTx } from "../store/store.ts";
import { filterRow } from "./answer-filter.ts";
import { allows, countRead, countWritten, notFound, tableOf, type DbScope } from "./db-scope.ts";
import { noteDenial, noteRuleDenial, refuse } from "./denial.ts";
import { unreadableRefs } from "./ref-check.ts";
import type { AskableRule, Authority, RuledTable } from "./table-rules.ts";
import { publicConflict, refMissing } from "./write-conflict.ts";

/** The id of no row. */
const noId = "";

/**
 * Creates a row.
 * @param value untrusted. @param mode `import` takes the id that the value brings, if any.
 * @returns the row as `as` may read it; `{ id }` when it may not read it.
 * @throws VALUE_INVALID and its kin, FIELD_NOT_WRITABLE, RULE_DENIED, REF_MISSING, CHECK_FAILED, UNIQUE_TAKEN.
 */
export function createRow(
  scope: DbScope,
  table: RuledTable,
  value: Json,
  as: Authority,
  mode: "create" | "import" = "create",
): Later<Row> {
  const tx = writeTxOf(scope);
  const { name } = table.model;
  const record = table.validator(mode, as)(value, scope.now);
  const next: Row = Object.freeze({ id: scope.newId(name), ...record });
  const change = { row: null, next, given: Object.keys(value as object) };
  const permitted =
    as === "system" ? undefined : assertWritable(scope, table, { right: "create", ...change });
  return andThen(permitted, () =>
    andThen(assertChecks(scope, table, change), () => {
      countWritten(scope);
      return andThen(
        recover(
          () => tx.insert(name, next),
          (error) => publicConflict(scope, table, as, error),
        ),
        () => answerRow(scope, table, next, as),
      );
    }),
  );
}

/**
 * Changes fields of a row.
 * @param change.value untrusted; only the fields to change. @returns the row after, as `as` may read it.
 * @throws NOT_FOUND when there is no row that `as` may read; else as createRow.
 */
export function updateRow(
  scope: DbScope,
  table: RuledTable,
  change: { readonly id: string; readonly value: Json },
  as: Authority,
): Later<Row> {
  const tx = writeTxOf(scope);
  const { name } = table.model;
  const { id, value } = change;
  const patch = table.validator("update", as)(value, scope.now);
  return andThen(existing(scope, table, id, as), (row) => {
    const write = (): Later<Row> => {
      countWritten(scope);
      return andThen(
        recover(
          () => tx.update(name, id, patch),
          (error) => publicConflict(scope, table, as, error),
        ),
        (after) => answerRow(scope, table, after, as),
      );
    };
    // Nobody looks at what the row becomes.
    if (as === "system" && table.checks.length === 0) return write();
    const next: Row = Object.freeze({ ...row, ...patch });
    const change = { row, next, given: Object.keys(value as object) };
    const permitted =
      as === "system" ? undefined : assertWritable(scope, table, { right: "update", ...change });
    return andThen(permitted, () => andThen(assertChecks(scope, table, change), write));
  });
}

/**
 * Deletes a row, with what the schema lets go with it. Rows that lose their reference keep their checks.
 * @throws NOT_FOUND when there is no row that `as` may read; RULE_DENIED; REF_IN_USE; CHECK_FAILED.
 */
export function deleteRow(
  scope: DbScope,
  table: RuledTable,
  id: string,
  as: Authority,
): Later<null> {
  const tx = writeTxOf(scope);
  return andThen(existing(scope, table, id, as), (row) => {
    const permitted =
      as === "system" ? undefined : assertRule(scope, table, "delete", { row, next: null });
    return andThen(permitted, () => {
      countWritten(scope);
      return andThen(
        recover(
          () => tx.delete(table.model.name, id, (cleared) => assertCleared(scope, cleared)),
          (error) => publicConflict(scope, table, as, error),
        ),
        () => null,
      );
    });
  });
}

/** A row before and after, and the fields that the caller named. */
interface RowChange {
  readonly row: Row | null;
  readonly next: Row | null;
  readonly given: readonly string[];
}

function writeTxOf(scope: DbScope): WriteTx {
  if (scope.writeTx !== null) return scope.writeTx;
  throw new PlatformError("SYSTEM_CALL_DENIED", { problem: "a query does not write" });
}

/** The row, when `as` may read it. @throws NOT_FOUND. */
function existing(scope: DbScope, table: RuledTable, id: string, as: Authority): Later<Row> {
  const { name } = table.model;
  const guard = as === "system" ? null : scope.reach;
  return andThen(scope.tx.get(name, id, guard), (row) => {
    countRead(scope, 1);
    if (row === null) throw notFound(name, id);
    return row;
  });
}

function assertWritable(
  scope: DbScope,
  table: RuledTable,
  change: RowChange & { readonly right: "create" | "update" },
): Later<void> {
  return andThen(unreadableRefs(scope, table, change), (unreadable) => {
    const [field] = unreadable;
    // A rule may walk to the row that a reference names: were it a hidden one, what the rule says would tell of it.
    const judged = field === undefined ? change : { ...change, next: without(change, unreadable) };
    return andThen(assertRule(scope, table, change.right, judged), () =>
      andThen(assertFieldsWritable(scope, table, judged), () => {
        if (field !== undefined) throw refMissing(table.model.name, field);
      }),
    );
  });
}

/** The row with these references leading nowhere, as they do for the caller. */
function without({ next }: RowChange, fields: readonly string[]): Row | null {
  if (next === null) return null;
  return Object.freeze({ ...next, ...Object.fromEntries(fields.map((field) => [field, noId])) });
}

function assertRule(
  scope: DbScope,
  table: RuledTable,
  right: "create" | "update" | "delete",
  { row, next }: Pick<RowChange, "row" | "next">,
): Later<void> {
  const rule = table[right];
  const denied = () => refuse(scope, { table: table.model.name, right }, { rule, row, next });
  if (rule === null) return denied();
  return andThen(allows(scope, rule.test, row, next), (allowed) =>
    allowed ? undefined : denied(),
  );
}

function assertFieldsWritable(scope: DbScope, table: RuledTable, change: RowChange): Later<void> {
  if (table.fieldWrites.size === 0) return undefined;
  const { row, next } = change;
  const judged = change.given.map((field): Later<void> => {
    const rule = table.fieldWrites.get(field);
    if (rule === undefined) return undefined;
    return andThen(allows(scope, rule.test, row, next), (allowed) =>
      allowed ? undefined : refuseField(scope, table, { field, rule, row, next }),
    );
  });
  return andThen(allOf(judged), () => undefined);
}

function refuseField(
  scope: DbScope,
  table: RuledTable,
  asked: {
    readonly field: string;
    readonly rule: AskableRule;
    readonly row: Row | null;
    readonly next: Row | null;
  },
): Later<never> {
  const { field } = asked;
  const { name } = table.model;
  return andThen(noteRuleDenial(scope, { table: name, right: "field.write", field }, asked), () => {
    throw new PlatformError("FIELD_NOT_WRITABLE", { table: name, field });
  });
}

/** Checks hold for the system too. Unknown breaks a check: a check tells what must be so. */
function assertChecks(scope: DbScope, table: RuledTable, change: RowChange): Later<void> {
  if (table.checks.length === 0) return undefined;
  const { row, next } = change;
  const judged = table.checks.map((check, index) =>
    andThen(allows(scope, check.test, row, next), (holds) => {
      if (holds) return;
      const { name } = table.model;
      noteDenial(scope, { table: name, right: "check", field: null });
      const message = check.message === null ? {} : { message: check.message };
      throw new PlatformError("CHECK_FAILED", { table: name, check: index, ...message });
    }),
  );
  return andThen(allOf(judged), () => undefined);
}

/** A reference that the schema clears is a change like any other to the checks of its table. */
function assertCleared(scope: DbScope, { table, before, after }: Change): Later<void> {
  const change = { row: before, next: after, given: [] };
  return assertChecks(scope, tableOf(scope, table), change);
}

/** What is told of a row that was written: all that may be read of it, or that it is there. */
function answerRow(scope: DbScope, table: RuledTable, row: Row, as: Authority): Later<Row> {
  if (as === "system") return row;
  const { name } = table.model;
  const shape = { table: name, with: [], select: null };
  if (scope.reach.of(table).everyRow) return filterRow(scope, shape, row);
  const readable = table.read === null ? false : allows(scope, table.read.test, row, null);
  return andThen(readable, (readable) =>
    readable ? filterRow(scope, shape, row) : Object.freeze({ id: row["id"] ?? null }),
  );
}
