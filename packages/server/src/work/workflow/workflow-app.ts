// Workflows of one state of the app, compiled once: what they take and what they can be sent.
import type { WorkflowSpec } from "@keelson/sdk/spec";
import { PlatformError } from "../../base/platform-error.ts";
import type { GateApp } from "../../gate/gate-app.ts";
import { compileRecord, type RecordValidator } from "../../model/field-record.ts";

/** A workflow and its validators. */
export interface WorkflowModel {
  readonly name: string;
  readonly spec: WorkflowSpec;
  readonly args: RecordValidator;
  readonly signals: ReadonlyMap<string, RecordValidator>;
}

const compiled = new WeakMap<GateApp, ReadonlyMap<string, WorkflowModel>>();

/** The workflows of an app by name. */
export function workflowsOf(app: GateApp): ReadonlyMap<string, WorkflowModel> {
  const known = compiled.get(app);
  if (known !== undefined) return known;
  const specs = Object.entries(app.manifest.work?.workflows ?? {});
  const made = new Map(
    specs.map(([name, spec]): [string, WorkflowModel] => {
      const signals = Object.entries(spec.signals).map(
        ([signal, fields]): [string, RecordValidator] => [signal, compileRecord(fields, "args")],
      );
      return [
        name,
        { name, spec, args: compileRecord(spec.args, "args"), signals: new Map(signals) },
      ];
    }),
  );
  compiled.set(app, made);
  return made;
}

/** A workflow by name. @throws WORK_NOT_FOUND. */
export function workflowOf(app: GateApp, name: string): WorkflowModel {
  const found = workflowsOf(app).get(name);
  if (found !== undefined) return found;
  throw new PlatformError("WORK_NOT_FOUND", { workflow: name.slice(0, 130) });
}
