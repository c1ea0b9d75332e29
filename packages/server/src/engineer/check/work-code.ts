// Checks of work: what workflows may not do themselves, loops that a run's record can't hold, webhooks' functions that
// people can call, and rows that an ordinary caller names for a handler that stands outside the rules.
import { limits } from "../../base/limits.ts";
import type { FunctionModel } from "../../model/manifest.ts";
import type { AppReview } from "./app-review.ts";
import { fieldOf, type Loop, type RunOp, type Value, type WorkOp } from "./flow-value.ts";
import type { FunctionFlow } from "./flow-walker.ts";
import { hasNode, type Node } from "./syntax.ts";
import { isOpen, isReadWithRights, namedBy } from "./trust-function.ts";

/** Looks at every workflow, and at what functions start. */
export function checkWork(review: AppReview): void {
  for (const flow of review.workflows) {
    checkLoops(review, flow);
    checkNetwork(review, flow);
  }
  for (const flow of review.flows) {
    const { kind } = flow.source.model;
    if (kind === "query" || kind === "mutation") checkNetwork(review, flow);
    if (!isOpen(flow)) continue;
    checkHooks(review, flow);
    if (!flow.looksAtCaller) checkHandedOn(review, flow);
  }
}

/** The signature of a webhook guards its address, and not the function's own. */
function checkHooks(review: AppReview, { source }: FunctionFlow): void {
  const { model, file, name } = source;
  for (const [hook, spec] of Object.entries(review.manifest.work?.hooks ?? {})) {
    if (spec.function !== model.name) continue;
    const who = model.allow === "anyone" ? "Anybody" : "Any account";
    review.say(
      "K121",
      { file, node: name },
      {
        says: `${who} can call ${model.name} at its own address, where nothing is signed, and say what only the sender of ${hook} may say.`,
        evidence: [
          `POST /hooks/${hook} asks for a signature (${spec.scheme.kind}), and calls ${model.name}`,
          `POST /api/fn/${model.name} asks for none: allow: ${JSON.stringify(model.allow)}`,
        ],
        fix: "// remove `allow`: nobody may call it then but the webhook",
      },
    );
  }
}

function checkNetwork(review: AppReview, { fetches, source }: FunctionFlow): void {
  const isWorkflow = source.model.kind === "action";
  const what = isWorkflow ? "a workflow" : `a ${source.model.kind}`;
  for (const op of fetches) {
    review.say(
      "K414",
      { file: op.file, node: op.node },
      {
        says: `There is no network in ${what}: this call fails whenever it is reached.`,
        evidence: [
          isWorkflow
            ? "a workflow is run anew from its start whenever something happens to it"
            : "it is a transaction: nothing could undo what was sent",
        ],
        fix: isWorkflow
          ? "await step(send, { ... })   // send is an action"
          : "await enqueue(send, { ... })   // send is an action",
      },
    );
  }
}

/** Each of these is a step of the record. */
const recorded: ReadonlySet<string> = new Set(["step", "sleep", "waitFor", "signal", "child"]);

function checkLoops(review: AppReview, flow: FunctionFlow): void {
  const { workflowStepsMax } = limits;
  for (const op of flow.works) {
    if (!recorded.has(op.call)) continue;
    for (const loop of op.loops) {
      const most = isEndless(loop) ? Number.POSITIVE_INFINITY : mostItems(review, flow, loop);
      if (most === null || most <= workflowStepsMax) continue;
      const times = Number.isFinite(most)
        ? `up to ${most.toLocaleString("en-US")} times`
        : "without end";
      review.say(
        "K415",
        { file: op.file, node: op.node },
        {
          says: `${flow.source.model.name} asks for ${op.call} ${times}; the record of a run holds ${workflowStepsMax.toLocaleString("en-US")} steps, and every one of them is replayed whenever something happens.`,
          evidence: [{ text: "the loop", at: review.placeOf(loop) }],
          fix: Number.isFinite(most)
            ? "await step(sendAll, { items })   // one step for many, or a child for each page"
            : "return restart({ ... })   // begins anew with an empty record",
        },
      );
    }
  }
}

/** A loop that only an error ends, and that never begins anew. */
function isEndless({ node }: Loop): boolean {
  const isForever =
    (node.type === "ForStatement" && node.test === null) ||
    ((node.type === "WhileStatement" || node.type === "DoWhileStatement") && isTrue(node.test));
  return isForever && !hasNode(node, (each) => leaves(each));
}

function isTrue(node: Node): boolean {
  return node.type === "Literal" && node.value === true;
}

function leaves(node: Node): boolean {
  if (node.type === "ReturnStatement" || node.type === "BreakStatement") return true;
  if (node.type !== "CallExpression") return false;
  const { callee } = node;
  const named = callee.type === "MemberExpression" ? callee.property : callee;
  return named.type === "Identifier" && named.name === "restart";
}

/** How many items a loop may go over, by the declaration of what it goes over; null: nothing is known. */
function mostItems(review: AppReview, flow: FunctionFlow, { over }: Loop): number | null {
  const [kind, name = ""] = over?.source?.split(":") ?? [];
  const { args } = flow.source.model;
  if (kind === "arg") return listMax(args[name]);
  if (kind !== "work") return null;
  const op = flow.works.find(({ index }) => index === Number(name));
  const fn = op === undefined ? undefined : named(review, flow, op)[0]?.source.model;
  return listMax(fn?.returns);
}

function listMax(spec: FunctionModel["returns"]): number | null {
  return spec?.kind === "list" ? spec.max : null;
}

const depthMax = 4;

/** What an open function hands on, unaltered and unasked, to work that writes the row it names outside the rules. */
function checkHandedOn(review: AppReview, open: FunctionFlow): void {
  const own = Object.keys(open.source.model.args);
  const args = new Map(own.map((name) => [name, name]));
  for (const op of [...open.runs, ...open.works]) {
    const written = follow(review, open, { op, args, depth: 0 });
    if (written === null) continue;
    const { flow, table, method, arg, at } = written;
    if (isReadWithRights(open, table, arg) || isReadByRun(review, open, { table, arg })) continue;
    review.say(
      "K106",
      { file: op.file, node: op.node },
      {
        says: `Any caller of ${open.source.model.name} can have every row of ${table} ${method === "delete" ? "deleted" : "changed"} by ${flow.source.model.name}: they name the row, and nothing asks whether it is theirs.`,
        evidence: [
          `argument ${arg} -> ${"call" in op ? op.call : "run"}(${op.target})`,
          { text: `${table}.${method}() outside the rules`, at: review.placeOf(at) },
        ],
        fix: `const own = await db.${table}.get(${arg});\nif (own === null) throw new Refusal("NOT_FOUND", "There is no such ${table}.");`,
      },
    );
  }
}

/** Whether a function that is run with the argument reads that row with the caller's rights. */
function isReadByRun(
  review: AppReview,
  open: FunctionFlow,
  { table, arg }: { readonly table: string; readonly arg: string },
): boolean {
  const args = new Map([[arg, arg]]);
  return open.runs.some((op) =>
    named(review, open, op).some((flow) =>
      [...handed(flow, op.args, args).keys()].some((own) => isReadWithRights(flow, table, own)),
    ),
  );
}

interface Written {
  readonly flow: FunctionFlow;
  readonly table: string;
  readonly method: string;
  /** The argument of the open function. */
  readonly arg: string;
  readonly at: FunctionFlow["db"][number];
}

/** Follows arguments into what a call names. @param args own names of the flow by those of the open function. */
function follow(
  review: AppReview,
  from: FunctionFlow,
  {
    op,
    args,
    depth,
  }: {
    readonly op: RunOp | WorkOp;
    readonly args: ReadonlyMap<string, string>;
    readonly depth: number;
  },
): Written | null {
  if (depth >= depthMax || op.args === null) return null;
  for (const flow of named(review, from, op)) {
    if (flow.looksAtCaller) continue;
    const given = handed(flow, op.args, args);
    if (given.size === 0) continue;
    for (const at of flow.db) {
      if (at.system === null || (at.method !== "update" && at.method !== "delete")) continue;
      const arg = given.get(namedBy(at.id) ?? "");
      if (arg === undefined || isReadWithRights(flow, at.table, namedBy(at.id) ?? "")) continue;
      return { flow, table: at.table, method: at.method, arg, at };
    }
    for (const next of [...flow.runs, ...flow.works]) {
      const written = follow(review, flow, { op: next, args: given, depth: depth + 1 });
      if (written !== null) return written;
    }
  }
  return null;
}

/** Arguments of a flow that are, unaltered, those of the open function. */
function handed(
  { source }: FunctionFlow,
  value: Value | null,
  args: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  if (value === null) return found;
  for (const name of Object.keys(source.model.args)) {
    const given =
      value.thing.kind === "args" ? args.get(name) : args.get(namedBy(fieldOf(value, name)) ?? "");
    if (given !== undefined) found.set(name, given);
  }
  return found;
}

/** The flows that a call names: a function, a queue's, a workflow, or the consumers of an event. */
function named(review: AppReview, from: FunctionFlow, op: RunOp | WorkOp): readonly FunctionFlow[] {
  const all = [...review.flows, ...review.workflows];
  const byName = (name: string) => all.find(({ source }) => source.model.name === name);
  const { queues = {}, consumers = {} } = review.manifest.work ?? {};
  if (op.kind === "work" && op.call === "emit") {
    const heard = Object.values(consumers).filter(({ event }) => event === op.target);
    return heard.flatMap((consumer) => byName(consumer.function) ?? []);
  }
  const key = op.target.split(".").at(-1) ?? "";
  const [module = ""] = from.source.model.name.split(".");
  const names = [...all.map(({ source }) => source.model.name), ...Object.keys(queues)];
  const fits = names.filter((name) => name.split(".").at(-1) === key);
  const name = fits.find((each) => each === `${module}.${key}`) ?? fits[0];
  const found = name === undefined ? undefined : byName(queues[name]?.function ?? name);
  return found === undefined ? [] : [found];
}
