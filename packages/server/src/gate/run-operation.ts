// Executes one operation, or a batch of them, on a transaction. The same for a door's reads and the
// writer's jobs; who may ask for it was decided before, what of it may be seen and done is the guard's.
import { andThen, recover, type Later } from "../base/later.ts";
import { PlatformError } from "../base/platform-error.ts";
import { countKeys } from "../model/field-issue.ts";
import { callInTx, functionOf } from "./call-function.ts";
import { notFound } from "./db-scope.ts";
import { pageText, rowText } from "../store/row-text.ts";
import type { Run } from "./gate-app.ts";
import type { GateOperation } from "./gate-request.ts";
import type { GuardedDb } from "./guarded-db.ts";

/**
 * Runs an operation that was validated. @returns its answer as JSON text.
 * @throws NOT_FOUND for a get that finds nothing; what GuardedDb and the function throw.
 */
export function runOperation(run: Run, db: GuardedDb, operation: GateOperation): Later<string> {
  const as = run.authority;
  switch (operation.kind) {
    case "get": {
      const { table, id, query } = operation;
      const asked = countKeys(query) === 0 ? undefined : query;
      return andThen(db.get(table, id, asked, as), (row) => {
        if (row === null) throw notFound(table, id);
        return rowText(row);
      });
    }
    case "list": {
      const { table, query } = operation;
      if (query.aggregate === undefined && query.groupBy === undefined) {
        return andThen(db.list(table, query, as), pageText);
      }
      const rows = db.aggregate(table, query, as);
      return andThen(rows, (rows) => JSON.stringify({ rows, next: null }));
    }
    case "create": {
      // A step of the operator (authority of the system) is an import: the row may bring its id.
      const { table, value } = operation;
      return andThen(
        as === "system" ? db.import(table, value) : db.create(table, value, as),
        toJson,
      );
    }
    case "update":
      return andThen(db.update(operation.table, operation.id, operation.value, as), toJson);
    case "delete":
      return andThen(db.delete(operation.table, operation.id, as), toJson);
    case "call":
      return callInTx(run, db, {
        fn: functionOf(run, operation.name),
        args: operation.args,
        depth: 0,
      });
    case "batch":
      return runSteps(run, db, operation.steps, []);
    case "http":
      throw new PlatformError("REQUEST_INVALID", {
        problem: "an http function has no transaction",
      });
    default:
      return operation satisfies never;
  }
}

/** One step after the other; the first that fails fails all. @param done answers of the steps before. */
function runSteps(
  run: Run,
  db: GuardedDb,
  steps: readonly GateOperation[],
  done: string[],
): Later<string> {
  const { readBytesMax } = run.app.limits;
  let chars = done.reduce((sum, json) => sum + json.length, 0);
  for (let index = done.length; index < steps.length; index++) {
    if (chars > readBytesMax) throw atStep(tooLarge(readBytesMax), index);
    const step = steps[index] as GateOperation;
    const answer = recover(
      () => runOperation(run, db, step),
      (error) => {
        throw atStep(error, index);
      },
    );
    if (answer instanceof Promise) {
      return answer.then((json) => runSteps(run, db, steps, [...done, json]));
    }
    done.push(answer);
    chars += answer.length;
  }
  return `[${done.join(",")}]`;
}

function tooLarge(max: number): PlatformError {
  const problem = "the answers of the steps before are too large together; split the batch";
  return new PlatformError("QUERY_TOO_COSTLY", { limit: "readBytesMax", max, problem });
}

/** The same refusal, with the step that it is about. */
export function atStep(error: unknown, step: number): unknown {
  if (!(error instanceof PlatformError)) return error;
  return new PlatformError(
    error.code,
    { ...error.details, step },
    { cause: error, text: error.message },
  );
}

function toJson(value: unknown): string {
  return JSON.stringify(value);
}
