// Draws what a client asks next, in the form of a live connection's asks, and says what the answer tells.
import type { Json } from "@keelson/sdk/spec";
import type { LiveAsk, LiveStep } from "@keelson/sdk/live-protocol";
import { isWrite, type Step, type WriteStep } from "./history.ts";

/** What is asked. */
export interface DrawnAsk {
  /** For people. */
  readonly what: string;
  readonly ask: LiveAsk;
  /** Whether it may carry an idempotency key. */
  readonly mayWrite: boolean;
  /** What it writes when it is done. */
  readonly writes: readonly WriteStep[];
  /** All that it did and saw, by its answer. */
  readonly saw: (answer: Json) => readonly Step[];
}

/** What is known where it is drawn. */
export interface AskPlace {
  /** From 0 to below 1. */
  readonly random: () => number;
  /** Keys that are in use now. */
  readonly keys: readonly number[];
  /** A value that nobody else writes. */
  readonly nextValue: () => number;
  /** Who asks: its right is its own business, others may change it. */
  readonly user: string;
  readonly users: readonly string[];
  readonly met: MetRows;
}

/** Rows that a client has met, by table and key: `entry:7`. */
export type MetRows = Map<string, readonly { readonly id: string; readonly value: number }[]>;

/** One step of what is asked. */
export interface AskPart {
  readonly step: LiveStep;
  readonly mayWrite: boolean;
  readonly writes: readonly WriteStep[];
  readonly saw: (answer: Json) => readonly Step[];
}

type Row = { readonly id: string; readonly key: number; readonly value: number };
type Page<T> = { readonly rows: readonly T[] };

const partsMax = 4;

export function drawAsk(place: AskPlace): DrawnAsk {
  const { random } = place;
  const die = random();
  if (die < 0.3) return one(drawTransact(place));
  if (die < 0.4) return one(drawSwap(place));
  if (die < 0.5) return one(drawRows(place));
  if (die < 0.6) return one(drawLook(place));
  if (die < 0.75) return one(drawList(place));
  if (die < 0.79) return one(drawAdmit(place));
  if (die < 0.84) return together(lookAtRight(place));
  if (die < 0.92) return together(several(place, drawList));
  return together(several(place, pickPart));
}

function pickPart(place: AskPlace): AskPart {
  const draws = [drawTransact, drawSwap, drawRows, drawList, drawList];
  return (pick(place, draws) ?? drawList)(place);
}

/** Reads everything of some keys at one moment. */
export function lookAtKeys(keys: readonly number[]): DrawnAsk {
  return one(lookPart(keys));
}

/** Reads one's right, and what it gives. */
export function lookAtRight({ user }: Pick<AskPlace, "user">): AskPart[] {
  const key = `right:${user}`;
  return [
    reading({ list: "member", query: {} }, (answer) => {
      const [row] = (answer as Page<Row>).rows;
      return [{ kind: "register", key, value: row?.value ?? null }];
    }),
    reading({ list: "secret", query: {} }, (answer) => [
      { kind: "secret", key, isShown: (answer as Page<Row>).rows.length > 0 },
    ]),
  ];
}

function one(part: AskPart): DrawnAsk {
  const { step, ...more } = part;
  return { what: toldStep(step), ask: step, ...more };
}

function together(parts: readonly AskPart[]): DrawnAsk {
  return {
    what: `batch of ${parts.map(({ step }) => toldStep(step)).join(" + ")}`,
    ask: { steps: parts.map(({ step }) => step) },
    mayWrite: parts.some(({ mayWrite }) => mayWrite),
    writes: parts.flatMap(({ writes }) => writes),
    saw: (answer) => parts.flatMap(({ saw }, at) => saw((answer as readonly Json[])[at] ?? null)),
  };
}

/** What a step is called in a witness. */
function toldStep(step: LiveStep): string {
  if ("call" in step) return step.call;
  if ("list" in step) return `list ${step.list}`;
  if ("get" in step) return `get ${step.get}`;
  if ("create" in step) return `create ${step.create}`;
  return "update" in step ? `update ${step.update}` : `delete ${step.delete}`;
}

function several(place: AskPlace, draw: (place: AskPlace) => AskPart): AskPart[] {
  const parts: AskPart[] = [];
  const removed = new Set<string>();
  for (let left = 2 + below(place, partsMax - 1); left > 0; left--) {
    const part = draw(place);
    // A row goes once.
    if ("delete" in part.step && removed.has(part.step.id)) continue;
    if ("delete" in part.step) removed.add(part.step.id);
    parts.push(part);
  }
  return parts;
}

function drawTransact(place: AskPlace): AskPart {
  const { random, nextValue } = place;
  const drawn: { kind: string; of: "list" | "slot"; key: number; value?: number }[] = [];
  for (let left = 1 + below(place, 4); left > 0; left--) {
    const of = random() < 0.5 ? "list" : "slot";
    const key = anyKey(place);
    const append = { kind: "append", of, key, value: nextValue() } as const;
    drawn.push(random() < 0.6 ? append : { kind: "read", of, key });
  }
  const asSteps = (answer: readonly { readonly values: readonly number[] | null }[]): Step[] =>
    drawn.map(({ of, key, value }, at) =>
      value === undefined
        ? { kind: "list", key: `${of}:${key}`, values: answer[at]?.values ?? [] }
        : { kind: "append", key: `${of}:${key}`, value },
    );
  return {
    step: { call: "history.transact", args: { steps: drawn, refuse: random() < 0.08 } },
    mayWrite: true,
    writes: asSteps([]).filter(isWrite),
    saw: (answer) => asSteps(answer as unknown as { values: number[] | null }[]),
  };
}

function drawSwap(place: AskPlace): AskPart {
  const number = anyKey(place);
  const key = `register:${number}`;
  const value = place.nextValue();
  const from = place.met.get(key)?.[0]?.value ?? null;
  const compare = place.random() < 0.6;
  const args = { key: number, value, compare, ...(from === null ? {} : { from }) };
  return {
    step: { call: "history.swap", args },
    mayWrite: true,
    writes: [{ kind: "write", key, value, ...(compare ? { isConditional: true } : {}) }],
    saw: (answer) => {
      const { before, done } = answer as { before: number | null; done: boolean };
      const read: Step = { kind: "register", key, value: before };
      return done ? [read, { kind: "write", key, value }] : [read];
    },
  };
}

/** A row comes, changes or goes, by the tables' own doors. */
function drawRows(place: AskPlace): AskPart {
  const { random, met } = place;
  const number = anyKey(place);
  const register = met.get(`register:${number}`)?.[0];
  const entry = pick(place, met.get(`entry:${number}`) ?? []);
  const die = random();
  if (die < 0.35 && register !== undefined) {
    const value = place.nextValue();
    const write: WriteStep = { kind: "write", key: `register:${number}`, value };
    return writing({ update: "register", id: register.id, value: { value } }, write);
  }
  const key = `entry:${number}`;
  if (die < 0.6 && entry !== undefined) {
    const { id, value } = entry;
    return writing({ delete: "entry", id }, { kind: "remove", key, value });
  }
  const value = place.nextValue();
  return writing({ create: "entry", value: { key: number, value } }, { kind: "add", key, value });
}

function drawAdmit(place: AskPlace): AskPart {
  const user = pick(place, place.users) ?? place.user;
  const open = place.random() < 0.5;
  const key = `right:${user}`;
  const value = place.nextValue() * 2 + (open ? 0 : 1);
  return {
    step: { call: "history.admit", args: { user, value, open } },
    mayWrite: true,
    writes: [{ kind: "write", key, value }],
    saw: (answer) => {
      const { before } = answer as { before: number | null };
      return [
        { kind: "register", key, value: before },
        { kind: "write", key, value },
      ];
    },
  };
}

function drawLook(place: AskPlace): AskPart {
  return lookPart([...new Set([anyKey(place), anyKey(place)])]);
}

export function lookPart(keys: readonly number[]): AskPart {
  return {
    step: { call: "history.look", args: { keys } },
    mayWrite: false,
    writes: [],
    saw: (answer) => {
      const seen = answer as { key: number; register: number | null; [of: string]: unknown }[];
      return seen.flatMap(({ key, register, list, slot, entry }): Step[] => [
        { kind: "list", key: `list:${key}`, values: list as number[] },
        { kind: "list", key: `slot:${key}`, values: slot as number[] },
        { kind: "set", key: `entry:${key}`, values: entry as number[] },
        { kind: "register", key: `register:${key}`, value: register },
      ]);
    },
  };
}

function drawList(place: AskPlace): AskPart {
  const table = pick(place, ["list", "slot", "entry", "register"] as const) ?? "list";
  const number = anyKey(place);
  const key = `${table}:${number}`;
  const [known] = place.met.get(key) ?? [];
  if (known !== undefined && place.random() < 0.5) {
    if (table === "list") return getting(table, known.id, key);
    if (table === "register") return getting(table, known.id, key);
  }
  const part = listPart(table, number);
  const saw: AskPart["saw"] = (answer) => {
    place.met.set(key, (answer as Page<Row>).rows);
    return part.saw(answer);
  };
  return { ...part, saw };
}

/** A row of its own: those of lists and registers stay for good. */
function getting(table: "list" | "register", id: string, key: string): AskPart {
  return reading({ get: table, id }, (answer) => {
    const { value, values } = answer as Row & { readonly values: readonly number[] };
    return [table === "list" ? { kind: "list", key, values } : { kind: "register", key, value }];
  });
}

/** A list of one of the tables, by a key. */
export function listPart(table: "list" | "slot" | "entry" | "register", key: number): AskPart {
  const name = `${table}:${key}`;
  const query = { where: { key }, limit: 1_000, ...(table === "slot" ? { orderBy: ["at"] } : {}) };
  return reading({ list: table, query }, (answer) => {
    const { rows } = answer as Page<Row & { readonly values: readonly number[] }>;
    const values = rows.map(({ value }) => value);
    if (table === "list") return [{ kind: "list", key: name, values: rows[0]?.values ?? [] }];
    if (table === "slot") return [{ kind: "list", key: name, values }];
    if (table === "entry") return [{ kind: "set", key: name, values }];
    return [{ kind: "register", key: name, value: values[0] ?? null }];
  });
}

function reading(step: LiveStep, saw: AskPart["saw"]): AskPart {
  return { step, mayWrite: false, writes: [], saw };
}

function writing(step: LiveStep, write: WriteStep): AskPart {
  return { step, mayWrite: true, writes: [write], saw: () => [write] };
}

function anyKey(place: AskPlace): number {
  return pick(place, place.keys) ?? 0;
}

function pick<T>(place: AskPlace, items: readonly T[]): T | undefined {
  return items[below(place, items.length)];
}

function below({ random }: AskPlace, sides: number): number {
  return Math.floor(random() * sides);
}
