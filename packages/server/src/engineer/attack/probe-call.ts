// Functions: called by everybody with arguments of their own and of others, in many states of the data; then
// again and at once, to see whether what was spent can be spent twice; then with arguments that nobody takes.
import type { Json } from "../../base/json.ts";
import type { FieldSpec, FunctionModel } from "../../model/manifest.ts";
import type { Change, Row } from "../../store/store.ts";
import { Harvest, hostileBodies, makeArgs, type ArgsSide } from "./call-args.ts";
import type { Identity } from "./identity-plan.ts";
import { probeWebhook } from "./probe-webhook.ts";
import { isHoldingName } from "./sensitive-name.ts";
import type { AttackSession, Observation, Probe } from "./session.ts";
import { searchStates, type StateTried } from "./state-search.ts";

const turnsMax = 10;
const atOnce = 8;
/** Planted rows and guests' are among the first so many. */
const someTurns = 8;

/** Probes every function that has an address. */
export async function probeCalls(
  session: AttackSession,
  onFunction: (name: string) => void,
): Promise<void> {
  await session.withGuests(() => probeEach(session, onFunction));
}

async function probeEach(
  session: AttackSession,
  onFunction: (name: string) => void,
): Promise<void> {
  const harvest = new Harvest(session.target.sources);
  const functions = Object.values(session.judge.manifest.functions);
  const queries = functions.filter(({ kind }) => kind === "query");
  const others = functions.filter(({ kind }) => kind !== "query");
  for (const fn of [...queries, ...others]) {
    onFunction(fn.name);
    if (fn.allow === "nobody") {
      await closedCall(session, fn);
      continue;
    }
    await probeFunction(session, fn, harvest);
  }
}

/** A function that nobody may call is refused to everybody. */
async function closedCall(session: AttackSession, fn: FunctionModel): Promise<void> {
  for (const by of session.people) {
    const seen = await session.ask(by, callProbe(fn, {}, "closed function"));
    if (!seen.isOk) continue;
    session.findings.add({
      ...{ code: "A301", subject: fn.name, aspect: "allow", fields: [], by, request: seen.request },
      status: seen.answer.status,
      says: `${by.name} calls ${fn.name}, which allows nobody`,
    });
  }
}

/** A call that succeeded. */
interface Worked {
  readonly by: Identity;
  readonly args: Record<string, Json>;
}

/** What came of calling a function as everybody. */
interface Called {
  /** The first call that succeeded. */
  readonly worked: Worked | null;
  /** Whether one of somebody whom no role or claim opens anything succeeded, or none of them may call. */
  readonly isPlain: boolean;
  /** How often it was refused, by code. */
  readonly refusals: ReadonlyMap<string, number>;
}

async function probeFunction(
  session: AttackSession,
  fn: FunctionModel,
  harvest: Harvest,
): Promise<void> {
  let called = await callAll(session, fn, harvest);
  if (called.worked === null && (fn.hosts?.length ?? 0) > 0) {
    session.target.standIn("list");
    called = await callAll(session, fn, harvest);
    session.target.standIn("object");
  }
  if (!called.isPlain && fn.kind !== "http") {
    await searchStates(session, fn, called.refusals.keys(), {
      tryCalls: () => callSome(session, fn, harvest),
      inState: async () => {
        const { worked } = await callAll(session, fn, harvest);
        called = { ...called, worked: called.worked ?? worked };
      },
    });
  }
  const { worked, refusals } = called;
  if (worked === null) {
    const isSigned = await probeWebhook(session, fn, callProbe(fn, {}, "webhook"), {
      own: argsAs(session, fn, harvest, "own"),
      other: argsAs(session, fn, harvest, "other"),
    });
    const codes = [...refusals].map(([code, count]) => `${code} ${count} times`).join(", ");
    if (!isSigned)
      session.inconclusive(fn.name, `no call succeeded: ${codes || "nobody may call it"}`);
  }
  await hostile(session, fn, worked ?? { by: caller(session, fn), args: {} });
}

async function callAll(
  session: AttackSession,
  fn: FunctionModel,
  harvest: Harvest,
): Promise<Called> {
  let worked: Called["worked"] = null;
  let isPlain = !session.people.some((by) => isPlainCaller(fn, by));
  const refusals = new Map<string, number>();
  for (const by of session.people) {
    const mayCall = allowed(fn, by);
    const spent = new Set<string>();
    let first: Record<string, Json> | null = null;
    for (const side of ["own", "other"] as const) {
      for (let turn = 0; turn < (mayCall ? turnsOf(fn) : 1); turn++) {
        const args = makeArgs(session, by, argsOf(session, fn), { side, turn, harvest });
        const text = JSON.stringify(args);
        if (spent.has(text)) continue;
        spent.add(text);
        const seen = await session.ask(
          by,
          callProbe(fn, args, side === "own" ? "call" : "call with ids of others"),
        );
        if (!mayCall) {
          refused(session, fn, seen);
          continue;
        }
        if (!seen.isOk) {
          const why = refusalOf(seen);
          refusals.set(why, (refusals.get(why) ?? 0) + 1);
          continue;
        }
        harvest.take(seen.answer.text);
        worked ??= { by, args };
        isPlain ||= isPlainCaller(fn, by);
        if (
          seen.changes.length > 0 &&
          by.kind !== "trusted" &&
          (first === null || side === "own")
        ) {
          first ??= args;
          await again(session, fn, by, args);
        }
      }
    }
  }
  return { worked, isPlain: isPlain && worked !== null, refusals };
}

/** Somebody who may call and whom no role or claim opens anything. */
function isPlainCaller(fn: FunctionModel, by: Identity): boolean {
  return by.kind !== "trusted" && by.user !== null && allowed(fn, by);
}

/** A few calls with ids of one's own: of an owner and of a stranger, or of whoever may call at all. */
async function callSome(
  session: AttackSession,
  fn: FunctionModel,
  harvest: Harvest,
): Promise<StateTried> {
  const plain = session.people.filter((by) => isPlainCaller(fn, by) && by.cohort !== "b");
  const people = plain.length > 0 ? plain : session.people.filter((by) => allowed(fn, by));
  const refusals = new Set<string>();
  for (const by of people) {
    for (let turn = 0; turn < Math.min(turnsOf(fn), someTurns); turn++) {
      const args = makeArgs(session, by, argsOf(session, fn), { side: "own", turn, harvest });
      const seen = await session.ask(by, callProbe(fn, args, "call in a state"));
      if (seen.isOk) return { isThrough: true, refusals };
      refusals.add(refusalOf(seen));
    }
  }
  return { isThrough: false, refusals };
}

/** `FUNCTION_REFUSED SOLD_OUT`, `ARGUMENT_INVALID seat`: the code, and what of the app's own it speaks of. */
function refusalOf({ code, answer }: Observation): string {
  if (code === null) return String(answer.status);
  const { details } = JSON.parse(answer.text) as {
    readonly details?: {
      readonly code?: unknown;
      readonly issues?: readonly { readonly path?: unknown }[];
    } | null;
  };
  const about = code === "FUNCTION_REFUSED" ? details?.code : details?.issues?.[0]?.path;
  return typeof about === "string" && about !== "" ? `${code} ${about}` : code;
}

function argsAs(
  session: AttackSession,
  fn: FunctionModel,
  harvest: Harvest,
  side: ArgsSide,
): Record<string, Json> {
  return makeArgs(session, caller(session, fn), argsOf(session, fn), { side, turn: 0, harvest });
}

function turnsOf(fn: FunctionModel): number {
  return Object.keys(fn.args).length === 0 && fn.kind !== "http" ? 1 : turnsMax;
}

/** What a function takes; an http function may take anything, so it gets ids under the names of their tables. */
function argsOf(session: AttackSession, fn: FunctionModel): FunctionModel["args"] {
  if (fn.kind !== "http") return fn.args;
  const ids: Record<string, FieldSpec> = {};
  for (const table of Object.keys(session.judge.manifest.tables)) {
    ids[table] = { kind: "id", table };
    ids[`${table}Id`] = { kind: "id", table };
  }
  return ids;
}

/** Whether `allow` lets an identity in. */
export function allowed({ allow }: FunctionModel, by: Identity): boolean {
  if (allow === "anyone") return true;
  if (allow === "nobody" || by.user === null) return false;
  return allow === "signed-in" || (by.role !== null && allow.role.includes(by.role));
}

function caller(session: AttackSession, fn: FunctionModel): Identity {
  const found = session.people.find((by) => allowed(fn, by)) ?? session.people[0];
  if (found === undefined) throw new Error("an attack has identities");
  return found;
}

function refused(session: AttackSession, fn: FunctionModel, seen: Observation): void {
  if (!seen.isOk) return;
  session.findings.add({
    ...{ code: "A301", subject: fn.name, aspect: "allow", fields: [], by: seen.by },
    ...{ request: seen.request, status: seen.answer.status },
    says: `${seen.by.name} calls ${fn.name}, which does not allow them`,
  });
}

/** The same call a second and third time, then many at once: what is gained again, what falls below zero. */
async function again(
  session: AttackSession,
  fn: FunctionModel,
  by: Identity,
  args: Record<string, Json>,
): Promise<void> {
  const probe = callProbe(fn, args, "call again");
  const first = await session.askAndKeep(by, probe);
  const second = await session.askAndKeep(by, probe);
  const both = [...first.changes, ...second.changes];
  if (first.isOk && second.isOk) gained(session, fn, first, second);
  await session.undo(both);
  const single = { ...probe, probe: "call at once" };
  const { answers, changes, request } = await session.askAtOnce(by, single, atOnce);
  const succeeded = answers.filter(({ status }) => status < 300).length;
  if (first.isOk && !second.isOk && succeeded > 1) {
    session.findings.add({
      ...{
        code: "A205",
        subject: fn.name,
        aspect: "at once",
        fields: [],
        by,
        request,
        status: 200,
      },
      says: `${fn.name} refuses a second call one after the other (${second.code ?? ""}), and lets ${succeeded} of ${atOnce} through at once`,
      ...(changes[0] === undefined ? {} : { changed: changes[0] }),
    });
  }
  sinks(session, fn, by, { changes, request });
  const broken = await session.target.brokenInvariants();
  if (broken.length > 0) {
    session.findings.add({
      ...{
        code: "A205",
        subject: fn.name,
        aspect: broken.join(),
        fields: [],
        by,
        request,
        status: 200,
      },
      says: `after ${fn.name} the invariant ${broken.join(", ")} does not hold`,
    });
  }
  await session.undo(changes);
}

/** A holding that grows with each of two equal calls, while nothing else falls: it comes out of nothing. */
function gained(
  session: AttackSession,
  fn: FunctionModel,
  first: Observation,
  second: Observation,
): void {
  const one = gains(session, first);
  const two = gains(session, second);
  for (const [key, gain] of one) {
    const { table, field, change } = gain;
    if (!two.has(key)) continue;
    session.findings.add({
      ...{
        code: "A206",
        subject: fn.name,
        aspect: `${table}.${field}`,
        fields: [`${table}.${field}`],
      },
      ...{ by: first.by, request: first.request, status: first.answer.status, changed: change },
      says: `${fn.name} raises ${table}.${field} every time ${first.by.name} calls it with the same arguments, and nothing pays for it`,
    });
  }
}

interface Gain {
  readonly table: string;
  readonly field: string;
  readonly change: Change;
}

function gains(session: AttackSession, { changes }: Observation): ReadonlyMap<string, Gain> {
  const found = new Map<string, Gain>();
  let falls = false;
  for (const change of changes) {
    const { table, before, after, id } = change;
    if (before === null || after === null) continue;
    for (const [field, spec] of Object.entries(
      session.judge.manifest.tables[table]?.fields ?? {},
    )) {
      if (spec.kind !== "int" && spec.kind !== "money" && spec.kind !== "number") continue;
      if (!isHoldingName(field)) continue;
      const by = Number(after[field] ?? 0) - Number(before[field] ?? 0);
      if (by < 0) falls = true;
      if (by > 0) found.set(`${id} ${field}`, { table, field, change });
    }
  }
  return falls ? new Map() : found;
}

function sinks(
  session: AttackSession,
  fn: FunctionModel,
  by: Identity,
  seen: { readonly changes: readonly Change[]; readonly request: Observation["request"] },
): void {
  for (const change of seen.changes) {
    const { table, before, after } = change;
    if (before === null || after === null) continue;
    for (const [field, was, is] of numbers(session, table, before, after)) {
      if (was < 0 || is >= 0 || !isHoldingName(field)) continue;
      session.findings.add({
        ...{
          code: "A206",
          subject: fn.name,
          aspect: `${table}.${field}`,
          fields: [`${table}.${field}`],
        },
        ...{ by, request: seen.request, status: 200, changed: change },
        says: `${atOnce} calls of ${fn.name} at once bring ${table}.${field} below zero (${is})`,
      });
    }
  }
}

function* numbers(
  session: AttackSession,
  table: string,
  before: Row,
  after: Row,
): Generator<readonly [string, number, number]> {
  for (const field of Object.keys(session.judge.manifest.tables[table]?.fields ?? {})) {
    const was = before[field];
    const is = after[field];
    if (typeof was === "number" && typeof is === "number") yield [field, was, is];
  }
}

async function hostile(
  session: AttackSession,
  fn: FunctionModel,
  worked: { readonly by: Identity; readonly args: Record<string, Json> },
): Promise<void> {
  for (const rawBody of hostileBodies(worked.args)) {
    const { body: _, ...probe } = callProbe(fn, {}, "hostile arguments");
    if (probe.method === "GET" || probe.method === "HEAD") return;
    const seen = await session.ask(worked.by, { ...probe, rawBody });
    if (fn.kind === "http" || !seen.isOk) continue;
    // `null`, `{}` and unknown depth: only what the definition takes may pass.
    if (rawBody === "null" || isDeclared(fn, rawBody)) continue;
    session.findings.add({
      ...{ code: "A306", subject: fn.name, aspect: "arguments", fields: [], by: worked.by },
      ...{ request: seen.request, status: seen.answer.status },
      says: `${fn.name} takes arguments that its definition does not have`,
    });
  }
}

/** Whether a body names only arguments that there are. */
function isDeclared(fn: FunctionModel, rawBody: string): boolean {
  try {
    const body = JSON.parse(rawBody) as unknown;
    if (typeof body !== "object" || body === null || Array.isArray(body)) return false;
    return Object.keys(body).every((name) => Object.hasOwn(fn.args, name));
  } catch {
    return false;
  }
}

/** The request that calls a function. Http functions get ids in their path and the arguments as their body. */
export function callProbe(fn: FunctionModel, args: Record<string, Json>, probe: string): Probe {
  const about = { kind: "function", name: fn.name, args } as const;
  if (fn.kind !== "http" || fn.route === undefined) {
    return { probe, about, method: "POST", path: `/api/fn/${fn.name}`, body: args };
  }
  return {
    probe,
    about,
    method: fn.route.method as Probe["method"],
    path: fn.route.path,
    body: args,
  };
}
