// Answers the `db.*` system calls of a function with the rights of its caller, or of the system when
// `db.asSystem` gave a reason; every such use is in the trace.
import type { Json } from "../base/json.ts";
import { andThen, type Later } from "../base/later.ts";
import { PlatformError } from "../base/platform-error.ts";
import { didYouMean } from "../model/field-issue.ts";
import { nameableTables } from "../model/platform-tables.ts";
import type { QueryForm } from "../model/query-form.ts";
import type { RowTarget } from "../isolate/system-calls.ts";
import { pageText, rowText } from "../store/row-text.ts";
import type { Row } from "../store/store.ts";
import type { Run } from "./gate-app.ts";
import type { GetForm, GuardedDb } from "./guarded-db.ts";
import { payloadObject, payloadText, type Payload } from "./system-payload.ts";
import type { Authority } from "./table-rules.ts";
import { noted } from "./work.ts";

/** A system call of a function, but for `db.row`. */
export interface DataCall {
  readonly operation: string;
  readonly payloadJson: string;
  /** Whether this function may write. */
  readonly writes: boolean;
}

const reasonCharsMax = 200;
/** How much of a name that a function made up goes back in a refusal. */
const nameCharsMax = 64;
const namesShownMax = 12;

/** @returns the answer as JSON text. @throws SYSTEM_CALL_DENIED, SYSTEM_CALL_INVALID; what GuardedDb throws. */
export function answerDataCall(run: Run, db: GuardedDb, call: DataCall): Later<string> {
  const payload = payloadObject(run, call.payloadJson);
  const { operation } = call;
  const table = payloadText(payload, "table");
  const as = authorityOf(run, operation, table, payload["as"]);
  switch (operation) {
    case "db.get": {
      const id = idOf(operation, table, payload);
      // What the payload holds as a query is checked by query-check, like any other stranger's.
      const form = (payload["query"] ?? undefined) as GetForm | undefined;
      return andThen(db.get(table, id, form, as), rowJson);
    }
    case "db.list":
      return andThen(db.list(table, formOf(payload), as), pageText);
    case "db.aggregate":
      return andThen(db.aggregate(table, formOf(payload), as), toJson);
    case "db.create":
      assertWrites(call);
      return andThen(db.create(table, payload["value"] ?? null, as), toJson);
    case "db.update":
      assertWrites(call);
      return andThen(
        db.update(table, idOf(operation, table, payload), payload["value"] ?? null, as),
        toJson,
      );
    case "db.delete":
      assertWrites(call);
      return andThen(db.delete(table, idOf(operation, table, payload), as), toJson);
    case "db.table":
      throw unknownTable(run, table);
    default:
      throw new PlatformError("SYSTEM_CALL_DENIED", { operation: operation.slice(0, 64) });
  }
}

/** `db.row`, the commonest of all. @returns the row as JSON text. @throws as answerDataCall. */
export function answerRow(run: Run, db: GuardedDb, target: RowTarget, id: string): Later<string> {
  const { table, reason } = target;
  const as = reason === "" ? run.authority : authorityOf(run, "db.get", table, reason);
  const row = db.get(table, id, undefined, as);
  return row instanceof Promise ? row.then(rowJson) : rowJson(row);
}

/** In whose name, noted in the trace. @param reason of `db.asSystem`. @throws SYSTEM_CALL_DENIED. */
export function authorityOf(
  run: Run,
  operation: string,
  table: string,
  reason: Json | undefined,
): Authority {
  if (reason === undefined || reason === null) return run.authority;
  if (typeof reason !== "string" || reason.trim() === "" || reason.length > reasonCharsMax) {
    const problem = `asSystem takes a reason of 1 to ${reasonCharsMax} characters`;
    throw new PlatformError("SYSTEM_CALL_DENIED", { operation, problem });
  }
  const { work, app } = run;
  const note = { reason, operation, table };
  work.elevations = noted(work.elevations, note, app.limits.traceNotesMax);
  return "system";
}

/** The row that is meant. @throws SYSTEM_CALL_INVALID: the function's mistake, as when a lookup before it found nothing. */
function idOf(operation: string, table: string, payload: Payload): string {
  const id = payload["id"] ?? null;
  if (typeof id === "string") return id;
  const problem =
    id === null
      ? "the id is missing: undefined or null was given"
      : `an id is a text, like row.id; this is ${Array.isArray(id) ? "a list" : `a value of type ${typeof id}`}`;
  throw new PlatformError("SYSTEM_CALL_INVALID", {
    operation: `db.${table}.${operation.slice(3)}`,
    problem,
  });
}

function unknownTable({ app }: Run, name: string): PlatformError {
  const shown = name.slice(0, nameCharsMax);
  const { tables, platform = {} } = app.manifest;
  const own = Object.keys(tables).filter((each) => platform[each] === undefined);
  const hint =
    didYouMean(shown, [...own, ...Object.keys(nameableTables)]) ||
    `; there are ${own.slice(0, namesShownMax).join(", ") || "none"}`;
  const problem = `there is no table "${shown}"${hint}`;
  return new PlatformError("SYSTEM_CALL_INVALID", { operation: `db.${shown}`, problem });
}

function formOf(payload: Payload): QueryForm {
  return (payload["query"] ?? {}) as QueryForm;
}

function assertWrites(call: DataCall): void {
  if (call.writes) return;
  const problem = "a query does not write; make it a mutation";
  throw new PlatformError("SYSTEM_CALL_DENIED", { operation: call.operation, problem });
}

function rowJson(row: Row | null): string {
  return row === null ? "null" : rowText(row);
}

function toJson(
  value: Json | { readonly rows: readonly Json[]; readonly next: string | null },
): string {
  return JSON.stringify(value);
}
