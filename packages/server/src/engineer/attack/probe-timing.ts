// Time as an answer: whether a row that is closed takes longer to refuse than one that is not there. Both requests
// are sent in turns, many times; a pair of equal requests in the same turns shows how much the machine itself
// wavers. A hole is said when two rounds find the same difference and the control finds none; a machine that is too
// busy to tell leaves it open. Only what answers the same is timed: what differs in words needs no clock.
import type { Json } from "../../base/json.ts";
import type { FunctionModel } from "../../model/manifest.ts";
import type { Row } from "../../store/store.ts";
import { Harvest, makeArgs } from "./call-args.ts";
import type { Identity } from "./identity-plan.ts";
import { allowed, callProbe } from "./probe-call.ts";
import { absentId, sameRefusal } from "./probe-read.ts";
import { requestOf, type AttackSession, type Probe } from "./session.ts";
import { medianOf, timingVerdict, type TimingVerdict } from "./timing-verdict.ts";

const pairsMin = 40;
const pairsMax = 640;
const warmUps = 5;

/** Probes doors and functions by time. */
export async function probeTiming(session: AttackSession): Promise<void> {
  for (const { name } of Object.values(session.judge.manifest.tables))
    await doorTime(session, name);
  for (const fn of Object.values(session.judge.manifest.functions)) {
    if (fn.allow !== "nobody" && (fn.hosts?.length ?? 0) === 0) await callTime(session, fn);
  }
}

/** Two requests that should tell nothing by their time. */
interface Pair {
  readonly by: Identity;
  readonly subject: string;
  readonly code: "A305" | "A209";
  readonly fields: readonly string[];
  readonly hidden: Probe;
  readonly absent: Probe;
  /** Another one that is not there. */
  readonly control: Probe;
}

async function doorTime(session: AttackSession, table: string): Promise<void> {
  const closed = closedRow(session, table);
  if (closed === null) return;
  const { by, row } = closed;
  const ask = (id: string): Probe => ({
    ...{ probe: "time of a refusal", method: "GET", path: `/api/tables/${table}/${id}` },
    about: { kind: "table", table, operation: "read" },
  });
  const absent = absentId(session, table);
  const control = `${absent.slice(0, -2)}1a`;
  await timed(session, {
    ...{ by, subject: table, code: "A305", fields: [] },
    ...{ hidden: ask(String(row["id"])), absent: ask(absent), control: ask(control) },
  });
}

/** A row and the least trusted who may not read it. */
function closedRow(
  session: AttackSession,
  table: string,
): { readonly by: Identity; readonly row: Row } | null {
  for (const by of session.people) {
    if (by.kind === "trusted") continue;
    const row = session.world.rows(table).find((one) => !session.judge.readsRow(by.me, table, one));
    if (row !== undefined) return { by, row };
  }
  return null;
}

/** A function that takes the id, the address or the code of a row that its caller may not read. */
async function callTime(session: AttackSession, fn: FunctionModel): Promise<void> {
  const by = session.people.find((one) => one.kind !== "trusted" && allowed(fn, one));
  if (by === undefined) return;
  const harvest = new Harvest(session.target.sources);
  const args = makeArgs(session, by, fn.args, { side: "other", turn: 0, harvest });
  for (const name of Object.keys(fn.args)) {
    const values = hiddenValue(session, by, fn, name);
    if (values === null) continue;
    const ask = (value: Json): Probe => callProbe(fn, { ...args, [name]: value }, "time of a call");
    await timed(session, {
      ...{ by, subject: fn.name, code: "A209", fields: [name] },
      ...{ hidden: ask(values.hidden), absent: ask(values.absent), control: ask(values.control) },
    });
  }
}

/** A value that a row has, and two of the same form that none has. */
interface HiddenValue {
  readonly hidden: string;
  readonly absent: string;
  readonly control: string;
}

/** For an argument: what a row has that the caller may not read; null when there is none. */
export function hiddenValue(
  session: AttackSession,
  by: Identity,
  fn: FunctionModel,
  name: string,
): HiddenValue | null {
  const spec = fn.args[name];
  const { tables } = session.judge.manifest;
  if (spec?.kind === "id" || spec?.kind === "ref") {
    const row = session.world
      .rows(spec.table)
      .find((one) => !session.judge.readsRow(by.me, spec.table, one));
    if (row === undefined) return null;
    const absent = absentId(session, spec.table);
    return { hidden: String(row["id"]), absent, control: `${absent.slice(0, -2)}1a` };
  }
  if (spec?.kind !== "text") return null;
  for (const [table, { fields }] of Object.entries(tables)) {
    if (fields[name]?.kind !== "text") continue;
    const row = session.world
      .rows(table)
      .find(
        (one) =>
          typeof one[name] === "string" && !session.judge.readsField(by.me, table, one, name),
      );
    const hidden = row?.[name];
    if (typeof hidden !== "string" || hidden === "") continue;
    const absent = turned(hidden, 1);
    return { hidden, absent, control: turned(hidden, 2) };
  }
  return null;
}

/** The same form with other letters and digits. */
function turned(text: string, by: number): string {
  const turn = (letter: string, first: string, count: number): string =>
    String.fromCharCode(
      first.charCodeAt(0) + ((letter.charCodeAt(0) - first.charCodeAt(0) + by) % count),
    );
  return text
    .replace(/[a-z]/g, (letter) => turn(letter, "a", 26))
    .replace(/[A-Z]/g, (letter) => turn(letter, "A", 26))
    .replace(/[0-9]/g, (digit) => turn(digit, "0", 10));
}

async function timed(session: AttackSession, pair: Pair): Promise<void> {
  if (!(await answersTheSame(session, pair))) return;
  const first = await round(session, pair);
  if (first.kind === "same") return;
  const second = first.kind === "open" ? first : await round(session, pair);
  const { subject, code, by, fields } = pair;
  const isTwice =
    second.kind === "different" && Math.sign(second.differenceUs) === Math.sign(first.differenceUs);
  if (!isTwice) {
    session.inconclusive(
      subject,
      `answers waver too much to tell whether their time says that a row exists (${text(second)}): run it on a quieter machine`,
    );
    return;
  }
  const request = requestOf(by, pair.hidden);
  session.findings.add({
    ...{ code, subject, aspect: "time", fields, by, request, status: 0 },
    says: `${subject} takes ${by.name} ${Math.abs(Math.round(second.differenceUs))} us ${second.differenceUs > 0 ? "longer" : "less"} for what is there and closed than for what is not there (${text(second)})`,
  });
}

/** Whether the answers tell nothing by their words, and nothing is changed. */
async function answersTheSame(session: AttackSession, pair: Pair): Promise<boolean> {
  const hidden = await session.ask(pair.by, pair.hidden);
  const absent = await session.ask(pair.by, pair.absent);
  if (hidden.changes.length + absent.changes.length > 0) return false;
  return sameRefusal(hidden) === sameRefusal(absent);
}

/** Measures until it can be told, or nothing more comes of it. */
async function round(session: AttackSession, pair: Pair): Promise<TimingVerdict> {
  const differences: number[] = [];
  const wavers: number[] = [];
  const times: number[] = [];
  for (let warm = 0; warm < warmUps; warm++) await tour(session, pair);
  for (let wanted = pairsMin; ; wanted *= 2) {
    while (differences.length < wanted) {
      const { hidden, absent, control } = await tour(session, pair);
      differences.push(hidden - absent);
      wavers.push(control - absent);
      times.push(absent);
    }
    const typical = medianOf(times.toSorted((a, b) => a - b));
    const verdict = timingVerdict(differences, typical);
    const control = timingVerdict(wavers, typical);
    const isTold = verdict.kind !== "open" && control.kind === "same";
    if (isTold || differences.length >= pairsMax) {
      return isTold ? verdict : { ...verdict, kind: "open" };
    }
  }
}

/** Each of the three once, in an order drawn anew: what comes first after a pause is slower. */
async function tour(
  session: AttackSession,
  { by, hidden, absent, control }: Pair,
): Promise<{ readonly hidden: number; readonly absent: number; readonly control: number }> {
  const us = { hidden: 0, absent: 0, control: 0 };
  const probes = { hidden, absent, control };
  for (const name of session.random.shuffled(["hidden", "absent", "control"] as const)) {
    us[name] = await session.time(by, probes[name]);
  }
  return us;
}

function text({ differenceUs, fromUs, toUs }: TimingVerdict): string {
  const [middle, from, to] = [differenceUs, fromUs, toUs].map((us) => Math.round(us));
  return `median ${middle} us, 99.9 % between ${from} and ${to}`;
}
