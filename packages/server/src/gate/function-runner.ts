// What the gate needs of the isolates: somewhere to run a function. An isolate pool is one; a single
// AppIsolate is another.
import type { Later } from "../base/later.ts";
import type { Bundle, CallInput, CallOutcome, SystemCall } from "../isolate/app-isolate.ts";

/** Runs functions of the app. Calls may nest: a system call of one call may start another. */
export interface FunctionRunner {
  /** @throws what AppIsolate.call throws. */
  call(input: CallInput, system: SystemCall): Later<CallOutcome>;
}

/** The code that workflows begin with, and the way back to code that they began with before. */
export interface WorkflowCode {
  /** Of this version of the app. */
  readonly bundle: Bundle;
  /** Opens a bundle of an earlier version, or finds it open. */
  open(bundle: Bundle): Promise<FunctionRunner>;
}
