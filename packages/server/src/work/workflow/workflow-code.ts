// The code that runs go on with: the bundle that a run began with is kept beside the data, for as long as one needs
// it, so that an update of the app changes no run under way. Functions that steps call are those of the newest version.
import { andThen, type Later } from "../../base/later.ts";
import { typeIdOfUuid } from "../../base/type-id.ts";
import type { FunctionRunner } from "../../gate/function-runner.ts";
import type { ProcedureScope } from "../../gate/gate-app.ts";
import type { Where } from "../../model/query-form.ts";
import { nowText } from "./workflow-run.ts";

/** A version without code of its own. */
const noVersion = "";
const noMap = '{"version":3,"sources":[],"names":[],"mappings":""}';

/** The version that a run begins with: its code is kept from now on. */
export function keepVersion(scope: ProcedureScope): Later<string> {
  const code = scope.run.app.workflowCode;
  if (code === undefined) return noVersion;
  const { hash, code: text } = code.bundle;
  const id = idOf(hash);
  return andThen(scope.tx.get("workCode", id, null), (row) => {
    if (row !== null) return hash;
    const kept = { id, hash, code: text, at: nowText(scope) };
    return andThen(scope.tx.insert("workCode", kept), () => hash);
  });
}

/** What runs a version's functions: that of this version where the other is not there any more. */
export function runnerOf(scope: ProcedureScope, version: string): Later<FunctionRunner> {
  const { workflowCode, isolates } = scope.run.app;
  if (workflowCode === undefined || version === workflowCode.bundle.hash || version === noVersion) {
    return isolates;
  }
  return andThen(scope.tx.get("workCode", idOf(version), null), (row) => {
    if (row === null) return isolates;
    return workflowCode.open({
      code: row["code"] as string,
      hash: version,
      map: noMap,
      files: [],
    });
  });
}

const codesMax = 100;

/** Drops code of earlier versions that no run needs. */
export function pruneCode(scope: ProcedureScope): Later<void> {
  const { tx, run } = scope;
  const current = run.app.workflowCode?.bundle.hash;
  const orderBy = [{ field: "at", descending: false }];
  // Without the code itself, which may be large.
  const select = ["hash"];
  const found = tx.list({ kind: "list", from: "workCode", orderBy, limit: codesMax, select }, null);
  return andThen(found, ({ rows }) => {
    const old = rows.filter(({ hash }) => hash !== current);
    const from = (index: number): Later<void> => {
      const row = old[index];
      if (row === undefined) return undefined;
      return andThen(isNeeded(scope, row["hash"] as string), (needed) => {
        const dropped = needed ? undefined : tx.delete("workCode", row["id"] as string);
        return andThen(dropped, () => from(index + 1));
      });
    };
    return from(0);
  });
}

function isNeeded({ tx }: ProcedureScope, version: string): Later<boolean> {
  const where: Where = {
    kind: "and",
    parts: [
      { kind: "field", field: "version", condition: { eq: version } },
      { kind: "field", field: "state", condition: { in: ["running", "stuck"] } },
    ],
  };
  const orderBy = [{ field: "id", descending: false }];
  const found = tx.list({ kind: "list", from: "workRun", where, orderBy, limit: 1 }, null);
  return andThen(found, ({ rows }) => rows.length > 0);
}

function idOf(hash: string): string {
  return typeIdOfUuid("work_code", hash.slice(0, 32));
}
