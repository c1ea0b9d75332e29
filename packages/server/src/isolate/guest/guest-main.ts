// The guest: what runs in an isolate beside the app's own code. Made once (a V8 snapshot), then: `connect`
// with the host, `take` the app, `start` calls, `resume` them with answers. The host holds the four
// functions by reference; user code can reach none of them.
import * as sdk from "@keelson/sdk";
import {
  appFunctions,
  appWorkflows,
  isFunctionDescriptor,
  isWorkflowDescriptor,
  platformTables,
  type FunctionDescriptor,
  type WorkflowDescriptor,
} from "@keelson/sdk/guest";
import type { RawRequest } from "../raw-http.ts";
import { guardBuiltins } from "./builtin-guards.ts";
import { forget, settle, waiterOf } from "./ask.ts";
import { guestConsole } from "./console.ts";
import { ContextMaker } from "./context.ts";
import { defineDatabase } from "./database.ts";
import { replaceEnvironment, replaceLateEnvironment } from "./environment.ts";
import { failedWith, failureOf, type Failure } from "./failure.ts";
import { connect, host, mailWords, type HostLink } from "./link.ts";
import { collectIntrinsics, lockDown } from "./lockdown.ts";
import { parse, resolved, toJson, unitAt, whenSettled } from "./primordials.ts";
import { Call, enter, type CallKind } from "./running.ts";
import { runWorkflow } from "./workflow.ts";
import { installWeb } from "./web/install.ts";
import { rawAnswerOf, readRequest } from "./web/message.ts";

const mailCharsMax = 1_000;
const asciiMax = 127;
const functions: (FunctionDescriptor | WorkflowDescriptor)[] = [];
let contexts: ContextMaker | null = null;
let taken: unknown;
let threw: string | null = null;

replaceEnvironment();
guardBuiltins();
Object.defineProperty(globalThis, "console", {
  value: guestConsole,
  writable: true,
  configurable: true,
});
installWeb();
const intrinsics = collectIntrinsics([sdk]);
Object.defineProperty(globalThis, "__keelsonSdk", { configurable: true, value: sdk });

/** The bundle's last statement hands the app's module to the first; what it throws goes to the second. */
defineOnce("__keelsonTake", (module) => {
  taken = module;
});
defineOnce("__keelsonThrew", (error) => {
  threw = failureOf(error).text;
});

function defineOnce(name: string, take: (value: unknown) => void): void {
  const value = (given: unknown): void => {
    Reflect.deleteProperty(globalThis, name);
    take(given);
  };
  Object.defineProperty(globalThis, name, { configurable: true, value });
}

/**
 * Reads what the bundle left.
 * @returns JSON: `{ spec, names }` with the functions in the order that `start` counts them; or `{ threw }`.
 */
function take(): string {
  Reflect.deleteProperty(globalThis, "__keelsonTake");
  Reflect.deleteProperty(globalThis, "__keelsonThrew");
  Reflect.deleteProperty(globalThis, "__keelsonSdk");
  if (threw !== null) return `{"threw":${threw}}`;
  const app = (taken as { default?: unknown } | undefined)?.default;
  const found = (app as { [appFunctions]?: unknown } | undefined)?.[appFunctions];
  if (typeof app !== "object" || app === null || !(found instanceof Map)) return noApp;
  const spec = (app as { spec: { tables: object } }).spec;
  const names: string[] = [];
  for (const [name, descriptor] of found as Map<string, unknown>) {
    if (!isFunctionDescriptor(descriptor)) continue;
    names.push(name);
    functions.push(descriptor);
  }
  const workflows = (app as { [appWorkflows]?: unknown })[appWorkflows];
  for (const [name, descriptor] of workflows instanceof Map ? workflows : []) {
    if (!isWorkflowDescriptor(descriptor)) continue;
    names.push(name as string);
    functions.push(descriptor);
  }
  const { reading, writing } = defineDatabase(
    Object.keys(spec.tables),
    Object.keys(platformTables),
  );
  contexts = new ContextMaker(reading, writing);
  const text = toJson({ spec, names }) ?? "null";
  lockDown(intrinsics);
  return text;
}

const noApp =
  '{"threw":{"problem":"app.ts does not export an app.","fix":"Write export default app({ rules, functions: { ... } })."}}';

interface Runnable {
  readonly kind: CallKind;
  readonly run: (ctx: object, input: unknown) => unknown;
}

/**
 * Starts a call: its id and its function are in the mailbox. It goes on until nothing is left to do without
 * an answer from the host.
 */
function start(input: string): void {
  const { head } = host().mail;
  const { kind, run } = functions[head[mailWords.startIndex] as number] as unknown as Runnable;
  const ahead = head[mailWords.aheadAt] as number;
  const call = new Call(head[mailWords.startId] as number, kind, input, ahead);
  enter(call);
  let result: unknown;
  try {
    const args = parse(call.argsJson) as unknown;
    const maker = contexts as ContextMaker;
    if (kind === "http") {
      const { params, request } = args as { params: unknown; request: unknown };
      result = run(maker.make(call, params), readRequest(request as RawRequest));
    } else if (kind === "workflow") {
      result = runWorkflow(call, run, maker.make(call, null));
    } else {
      result = run(maker.make(call, null), args);
    }
  } catch (error) {
    end(call, failureOf(error));
    return;
  }
  whenSettled(
    resolved(result),
    (value) => finish(call, value),
    (error) => end(call, failureOf(error)),
  );
}

/** Goes on with the call that waits for `token`. */
function resume(token: number, answer: string): void {
  const waiter = waiterOf(token);
  if (waiter === null) return;
  enter(waiter.call);
  settle(waiter, answer);
}

function finish(call: Call, value: unknown): void {
  tellUsed(call);
  let text: string | undefined;
  try {
    text = call.kind === "http" ? rawAnswerOf(value) : toJson(value === undefined ? null : value);
  } catch (error) {
    end(call, failedWith("invalid", messageOf(error), error));
    return;
  }
  if (text === undefined) {
    end(call, failedWith("invalid", `The result is a ${typeof value}, which JSON cannot say.`));
    return;
  }
  const { limits, mail } = host();
  if (text.length > limits.resultCharsMax) {
    end(call, { kind: "large", text: `${text.length}` });
    return;
  }
  const { head } = mail;
  if (text.length <= mailCharsMax && head[mailWords.full] === 0 && post(mail, text)) {
    head[mailWords.callId] = call.id;
    head[mailWords.length] = text.length;
    head[mailWords.full] = 1;
    return;
  }
  host().end(call.id, "done", text);
}

/** @returns false for a text that is more than ASCII. */
function post(mail: HostLink["mail"], text: string): boolean {
  const { body } = mail;
  for (let index = 0; index < text.length; index++) {
    const unit = unitAt(text, index);
    if (unit > asciiMax) return false;
    body[index] = unit;
  }
  return true;
}

/** Which rows that came along were read. */
function tellUsed({ ahead }: Call): void {
  if (ahead !== null) host().mail.head[mailWords.aheadUsed] = ahead.used;
}

function end(call: Call, failure: Failure): void {
  tellUsed(call);
  host().end(call.id, failure.kind, failure.text);
}

function messageOf(error: unknown): string {
  try {
    const message = (error as { message?: unknown }).message;
    return typeof message === "string" ? message : "It could not be written as JSON.";
  } catch {
    return "It could not be written as JSON.";
  }
}

/** Connects the host. @param memory shared: the mailbox's head, then its text. */
function open(
  system: HostLink["system"],
  target: HostLink["target"],
  effect: HostLink["effect"],
  pure: HostLink["pure"],
  end: HostLink["end"],
  log: HostLink["log"],
  memory: ArrayBuffer,
  limitsJson: string,
): void {
  const head = new Int32Array(memory, 0, mailWords.count);
  const mail = { head, body: new Uint8Array(memory, head.byteLength) };
  const limits = parse(limitsJson) as HostLink["limits"];
  connect({ system, target, effect, pure, end, log, mail, limits });
  replaceLateEnvironment();
}

/** What the host holds. */
const guest = { open, take, start, resume, forget };
Object.defineProperty(globalThis, "__keelsonGuest", { configurable: true, value: guest });
