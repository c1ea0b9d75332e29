// Workflows of the specification: what they take, what they can be sent, how long they may run.
import { readFields, type FieldWorld } from "./manifest-field.ts";
import type { SourcePlace } from "./manifest.ts";
import {
  complain,
  fixByDefine,
  inside,
  placed,
  readObject,
  type SpecPlace,
} from "./manifest-mistakes.ts";
import { nameProblem } from "./field-name.ts";

/** What workflows are held against. */
export interface WorkflowWorld extends FieldWorld {
  readonly functions: Readonly<Record<string, unknown>>;
  readonly places: Readonly<Record<string, SourcePlace>>;
}

const workflowName = /^[a-z][A-Za-z0-9]*\.[a-z][A-Za-z0-9]*$/;
const msMax = 315_360_000_000;

/** Checks the workflows of the app's work. What is wrong goes to the mistakes. */
export function readWorkflows(work: SpecPlace, value: unknown, world: WorkflowWorld): void {
  if (value === undefined) return;
  const named = readObject(inside(work, `${work.what}: its workflows`), value, null) ?? {};
  for (const [name, one] of Object.entries(named)) {
    const own = inside(work, `the workflow ${name.slice(0, 130)}`);
    readWorkflow(placed(own, name, world.places), name, one, world);
  }
}

function readWorkflow(place: SpecPlace, name: string, value: unknown, world: WorkflowWorld): void {
  if (!workflowName.test(name) || name.length > 130) {
    complain(
      place,
      "has a name that is not module.name",
      "Use letters and digits, starting small.",
    );
  }
  if (Object.hasOwn(world.functions, name)) {
    complain(place, "has the name of a function", "Give it another name.");
  }
  const given = readObject(place, value, ["args", "signals", "deadlineMs", "keepMs"]);
  if (given === null) return;
  readFields(place, given["args"], "args", world);
  const signals = readObject(inside(place, `${place.what}: its signals`), given["signals"], null);
  for (const [signal, fields] of Object.entries(signals ?? {})) {
    const own = inside(place, `${place.what}: its signal ${signal.slice(0, 64)}`);
    const problem = nameProblem(signal);
    if (problem !== null) complain(own, problem, "Give it another name.");
    readFields(own, fields, "args", world);
  }
  const { deadlineMs, keepMs } = given;
  if (deadlineMs !== undefined && !isLength(deadlineMs)) {
    complain(place, "has a deadline that is no length of time", fixByDefine);
  }
  if (!isLength(keepMs)) complain(place, "is kept for no length of time", fixByDefine);
}

function isLength(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= msMax;
}
