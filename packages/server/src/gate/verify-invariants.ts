// App invariants: queries that must return true. `keelson verify` asks them on the data as it is, rehearsals
// after every step, and a running server now and then. They run as the system: an invariant speaks of all
// rows, whoever may read them.
import { andThen, recover, type Later } from "../base/later.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { Store } from "../store/store.ts";
import { callInTx, functionOf } from "./call-function.ts";
import {
  openDb,
  openGateApp,
  timeText,
  type GateApp,
  type GateAppParts,
  type Run,
} from "./gate-app.ts";
import { anonymous } from "./identity.ts";
import { startWork, type Work } from "./work.ts";

/** What became of one invariant. */
export interface InvariantReport {
  /** `module.name` of the query. */
  readonly name: string;
  /** The query returned true. */
  readonly holds: boolean;
  /** What it returned when that was not true, as JSON text. */
  readonly returned: string | null;
  /** Why it could not be asked. */
  readonly error: PlatformError | null;
  /** The commit that it looked at. */
  readonly seq: number;
  readonly work: Work;
}

/** Asks every invariant of a manifest, all on one snapshot. Never throws for an invariant's own failure. */
export function verifyInvariants(
  parts: GateAppParts & { readonly store: Store },
): Later<readonly InvariantReport[]> {
  const app = openGateApp(parts);
  const { invariants } = parts.manifest;
  return parts.store.read((tx) => {
    const reports: InvariantReport[] = [];
    const next = (index: number): Later<readonly InvariantReport[]> => {
      const name = invariants[index];
      if (name === undefined) return reports;
      return andThen(ask(app, tx, name), (report) => {
        reports.push(report);
        return next(index + 1);
      });
    };
    return next(0);
  });
}

function ask(app: GateApp, tx: Parameters<typeof openDb>[1], name: string): Later<InvariantReport> {
  const nowMs = app.clock.nowMs();
  const work = startWork();
  const run: Run = {
    app,
    caller: anonymous,
    nowMs,
    requestId: `invariant ${name}`,
    work,
    authority: "system",
    spoiled: null,
  };
  const report = { name, holds: false, returned: null, error: null, seq: tx.seq, work };
  return recover<InvariantReport>(
    () => {
      const fn = functionOf(run, name);
      const call = { fn, args: fn.args({}, timeText(nowMs)), depth: 0 };
      return andThen(callInTx(run, openDb(run, tx, null), call), (json): InvariantReport => {
        const holds = json === "true";
        return { ...report, holds, returned: holds ? null : json };
      });
    },
    (error) => ({ ...report, error: coded(error) }),
  );
}

function coded(error: unknown): PlatformError {
  if (error instanceof PlatformError) return error;
  return new PlatformError("INTERNAL", {}, { cause: error });
}
