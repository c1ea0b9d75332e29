import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../server/random.ts";
import { checkHistory } from "./check-history.ts";
import { isWrite, type Operation, type Step } from "./history.ts";

type More = Partial<Operation>;

const append = (key: string, value: number): Step => ({ kind: "append", key, value });
const list = (key: string, ...values: number[]): Step => ({ kind: "list", key, values });
const write = (key: string, value: number): Step => ({ kind: "write", key, value });
const register = (key: string, value: number | null): Step => ({ kind: "register", key, value });
const add = (key: string, value: number): Step => ({ kind: "add", key, value });
const remove = (key: string, value: number): Step => ({ kind: "remove", key, value });
const set = (key: string, ...values: number[]): Step => ({ kind: "set", key, values });
const secret = (key: string, isShown: boolean): Step => ({ kind: "secret", key, isShown });

/** A transaction of a client that was answered; times are "from-to". */
function call(client: string, times: string, steps: readonly Step[], more: More = {}): Operation {
  const [startUs = 0, endUs = 0] = times.split("-").map(Number);
  const common = { client, what: "call", kind: "call", outcome: "done", commit: null } as const;
  return { ...common, startUs, endUs, steps, ...more };
}

/** What a client's live queries showed at a time. */
function shown(client: string, atUs: number, steps: readonly Step[], more: More = {}): Operation {
  return {
    ...call(client, `0-${atUs}`, steps),
    what: "shown",
    kind: "shown",
    startUs: null,
    ...more,
  };
}

const refused: More = { outcome: "refused" };
const unknown: More = { outcome: "unknown", endUs: null };

const bad: readonly (readonly [name: string, ...operations: Operation[]])[] = [
  ["duplicate", call("a", "0-9", [append("x", 1)]), call("b", "0-9", [list("x", 1, 1)])],
  ["made-up", call("b", "0-9", [list("x", 1)])],
  ["made-up", call("b", "0-9", [register("x", 1)])],
  ["made-up", call("b", "0-9", [set("x", 1)])],
  [
    "G1a aborted-read",
    call("a", "0-9", [append("x", 1)], refused),
    call("b", "0-9", [list("x", 1)]),
  ],
  [
    "G1a aborted-read",
    call("a", "0-9", [write("x", 1)], refused),
    call("b", "0-9", [register("x", 1)]),
  ],
  [
    "G1b intermediate-read",
    call("a", "0-9", [append("x", 1), append("x", 2)]),
    call("b", "0-9", [list("x", 1)]),
    call("c", "0-9", [list("x", 1, 2)]),
  ],
  [
    "incompatible-order",
    call("a", "0-9", [append("x", 1)]),
    call("b", "0-9", [append("x", 2)]),
    call("c", "0-9", [list("x", 2)]),
    call("d", "0-9", [list("x", 1, 2)]),
  ],
  ["internal", call("a", "0-9", [append("x", 1), list("x")])],
  ["internal", call("a", "0-9", [write("x", 1), register("x", null)])],
  ["internal", call("a", "0-9", [add("x", 1), set("x")])],
  ["internal", call("a", "0-9", [append("x", 1)]), call("b", "0-9", [list("x"), list("x", 1)])],
  [
    "G0 dirty-write",
    call("a", "0-9", [append("x", 1), append("y", 1)]),
    call("b", "0-9", [append("x", 2), append("y", 2)]),
    call("c", "10-19", [list("x", 1, 2), list("y", 2, 1)]),
  ],
  [
    "G1c circular-information",
    call("a", "0-9", [append("x", 1), list("y", 1)]),
    call("b", "0-9", [append("y", 1), list("x", 1)]),
  ],
  [
    "lost-update",
    call("a", "0-9", [list("x"), append("x", 1)]),
    call("b", "0-9", [list("x"), append("x", 2)]),
    call("c", "10-19", [list("x", 1, 2)]),
  ],
  [
    // The second took the place of the first.
    "lost-update",
    call("a", "0-9", [list("x"), append("x", 1)]),
    call("b", "0-9", [list("x"), append("x", 2)]),
    call("c", "10-19", [list("x", 2)]),
  ],
  [
    "lost-update",
    call("a", "0-9", [register("x", null), write("x", 1)]),
    call("b", "0-9", [register("x", null), write("x", 2)]),
  ],
  [
    "G-single read-skew",
    call("a", "0-9", [append("x", 1), append("y", 1)]),
    call("b", "0-9", [list("x"), list("y", 1)]),
    call("c", "0-9", [list("x", 1)]),
  ],
  [
    // Half of a transaction whose answer was lost is there.
    "G-single read-skew",
    call("a", "0-0", [append("x", 1), append("y", 1)], unknown),
    call("b", "10-19", [list("x", 1), list("y")]),
  ],
  [
    "G2 write-skew",
    call("a", "0-9", [list("x"), append("y", 1)]),
    call("b", "0-9", [list("y"), append("x", 1)]),
    call("c", "0-9", [list("x", 1), list("y", 1)]),
  ],
  [
    "G2 write-skew",
    call("a", "0-9", [set("x"), add("y", 1)]),
    call("b", "0-9", [set("y"), add("x", 1)]),
    call("c", "0-9", [set("x", 1), set("y", 1)]),
  ],
  [
    // Acknowledged and gone.
    "stale-read",
    call("a", "0-9", [append("x", 1)]),
    call("b", "10-19", [list("x")]),
  ],
  [
    "stale-read",
    call("a", "0-9", [append("x", 1)]),
    call("b", "10-19", [list("x")]),
    call("c", "20-29", [list("x", 1)]),
  ],
  [
    // Written later, and before it all the same.
    "write-order",
    call("a", "0-9", [append("x", 1)]),
    call("b", "10-19", [append("x", 2)]),
    call("c", "5-29", [list("x", 2, 1)]),
  ],
  [
    "stale-read",
    call("a", "0-9", [write("x", 1)]),
    call("b", "10-19", [write("x", 2)]),
    call("c", "20-29", [register("x", 1)]),
  ],
  [
    // A row that was deleted is back.
    "stale-read",
    call("a", "0-9", [add("x", 1)]),
    call("b", "10-19", [remove("x", 1)]),
    call("c", "20-29", [set("x", 1)]),
  ],
  ["read-your-writes", call("a", "0-9", [append("x", 1)]), call("a", "10-19", [list("x")])],
  [
    "monotonic-reads",
    call("a", "0-50", [append("x", 1)]),
    call("b", "10-19", [list("x", 1)]),
    call("b", "20-29", [list("x")]),
  ],
  [
    "wrong-commit",
    call("a", "0-9", [append("x", 1)], { commit: 2 }),
    call("b", "0-9", [append("x", 2)], { commit: 1 }),
    call("c", "0-99", [list("x", 1, 2)], { commit: 1 }),
  ],
  [
    "live-mixed",
    call("a", "0-9", [append("x", 1), append("y", 1)]),
    call("c", "0-9", [list("x", 1)]),
    shown("b", 9, [list("x"), list("y", 1)]),
  ],
  [
    "live-backward",
    call("a", "0-9", [append("x", 1)]),
    shown("b", 10, [list("x", 1)]),
    shown("b", 11, [list("x")]),
  ],
  [
    "live-wrong-commit",
    call("a", "0-9", [append("x", 1)], { commit: 5 }),
    shown("b", 20, [list("x")], { commit: 5 }),
  ],
  [
    "live-wrong-commit",
    call("a", "0-9", [append("x", 1)], { commit: 5 }),
    shown("b", 20, [list("x", 1)], { commit: 4 }),
  ],
  ["live-missed", call("a", "0-9", [append("x", 1)]), shown("b", 20, [list("x")], { startUs: 10 })],
  [
    "stale-after-live",
    call("a", "0-50", [append("x", 1)]),
    shown("b", 10, [list("x", 1)]),
    call("c", "20-29", [list("x")]),
  ],
  ["rights", shown("b", 10, [register("r", null), secret("r", true)])],
  [
    "rights",
    call("a", "0-9", [write("r", 3)]),
    shown("b", 10, [register("r", 3), secret("r", true)]),
  ],
  [
    "push-before-answer",
    call("a", "0-9", [append("x", 1)], { connection: "a 1" }),
    shown("a live", 8, [list("x", 1)], { connection: "a 1" }),
  ],
  ["two-answers", call("a", "0-9", [append("x", 1)], { answers: ["[1]", "[2]"] })],
];

for (const [index, [name, ...operations]] of bad.entries()) {
  test(`${name} is found, by name (${index})`, () => {
    const found = checkHistory(operations);
    assert.deepEqual([...new Set(found.map((each) => each.name))], [name], found[0]?.text ?? "");
    // Whatever is found is told with the operations that show it.
    assert.ok(found.every(({ text }) => text.includes("call") || text.includes("shown")));
  });
}

const good: readonly (readonly [why: string, ...operations: Operation[]])[] = [
  [
    "whoever is not answered may have written, or not, or later",
    call("a", "0-0", [append("x", 1)], unknown),
    call("b", "0-0", [append("x", 2)], unknown),
    call("c", "10-19", [list("x")]),
    call("c", "20-29", [list("x", 2)]),
  ],
  [
    "a part that depends on what was there may have changed nothing",
    call(
      "a",
      "0-0",
      [add("x", 1), { kind: "write", key: "r", value: 1, isConditional: true }],
      unknown,
    ),
    call("b", "10-19", [set("x", 1), register("r", null)]),
  ],
  [
    "what is shown may be late",
    call("a", "0-9", [append("x", 1)]),
    shown("b", 20, [list("x")]),
    shown("b", 21, [list("x", 1)]),
  ],
  [
    "reads at the same time as a write see it or not",
    call("a", "0-50", [append("x", 1)]),
    call("b", "10-19", [list("x")]),
    call("c", "20-29", [list("x", 1)]),
  ],
  [
    "what is not in a set may not have come, or be gone",
    call("a", "0-9", [add("x", 1)]),
    call("b", "5-19", [remove("x", 1)]),
    call("c", "5-29", [set("x")]),
    call("d", "5-29", [set("x", 1)]),
  ],
  [
    "what another connection brings may come before the answer",
    call("a", "0-9", [append("x", 1)], { connection: "a 1" }),
    shown("b live", 8, [list("x", 1)], { connection: "b 1" }),
  ],
  [
    "secrets follow the right",
    call("a", "0-9", [write("r", 2)]),
    shown("b", 10, [register("r", null), secret("r", false)]),
    shown("b", 11, [register("r", 2), secret("r", true)]),
  ],
];

for (const [why, ...operations] of good) {
  test(`nothing is found: ${why}`, () => assert.deepEqual(checkHistory(operations), []));
}

/** What a perfect server would do: each transaction happens at one moment between its sending and its answer. */
function perfectHistory(seed: number): Operation[] {
  const random = seededRandom(seed);
  const below = (sides: number): number => Math.floor(random() * sides);
  const lists = new Map<string, number[]>();
  const registers = new Map<string, number>();
  const sets = new Map<string, number[]>();
  const operations: Operation[] = [];
  const freeAt = new Map<string, number>();
  let value = 0;
  for (let now = 10; now < 1_500; now += 1 + below(4)) {
    const client = `client ${below(6)}`;
    const startUs = Math.max(now - below(30), (freeAt.get(client) ?? 0) + 1);
    if (startUs > now) continue;
    const endUs = now + below(30);
    freeAt.set(client, endUs);
    const steps: Step[] = [];
    const die = random();
    const isRefused = die < 0.1;
    const isShown = die > 0.85;
    for (let count = 1 + below(4); count > 0; count--) {
      const key = `${below(3)}`;
      const kind = isShown ? below(3) : below(7);
      value += 1;
      if (kind === 0)
        steps.push(list(`l${key}`, ...(lists.get(key) ?? []), ...own(steps, `l${key}`)));
      if (kind === 1 && own(steps, `s${key}`).length === 0)
        steps.push(set(`s${key}`, ...(sets.get(key) ?? [])));
      if (kind === 2 && own(steps, `r${key}`).length === 0)
        steps.push(register(`r${key}`, registers.get(key) ?? null));
      if (kind === 3) steps.push(append(`l${key}`, value));
      if (kind === 4) steps.push(add(`s${key}`, value));
      if (kind === 5) steps.push(write(`r${key}`, value));
      const [first] = sets.get(key) ?? [];
      const isRemoved = steps.some((step) => step.key === `s${key}`);
      if (kind === 6 && first !== undefined && !isRemoved) steps.push(remove(`s${key}`, first));
    }
    const commit = random() < 0.3 ? now : null;
    if (isRefused) {
      operations.push(call(client, `${startUs}-${endUs}`, steps.filter(isWrite), refused));
      continue;
    }
    for (const step of steps) {
      const key = step.key.slice(1);
      if (step.kind === "append") lists.set(key, [...(lists.get(key) ?? []), step.value]);
      if (step.kind === "write") registers.set(key, step.value);
      if (step.kind === "add") sets.set(key, [...(sets.get(key) ?? []), step.value]);
      if (step.kind === "remove")
        sets.set(
          key,
          (sets.get(key) ?? []).filter((each) => each !== step.value),
        );
    }
    if (isShown) operations.push(shown(`live ${client}`, endUs, steps, { commit }));
    else if (die > 0.8)
      operations.push(call(client, `${startUs}-0`, steps.filter(isWrite), unknown));
    else operations.push(call(client, `${startUs}-${endUs}`, steps, { commit }));
  }
  return operations;
}

function own(steps: readonly Step[], key: string): number[] {
  return steps.flatMap((step) => (isWrite(step) && step.key === key ? [step.value] : []));
}

test("nothing is found in what a perfect server would do", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const history = perfectHistory(seed);
    assert.ok(history.length > 200);
    assert.deepEqual(checkHistory(history), [], `seed ${seed}`);
  }
});

test("one read among hundreds that lacks the last append, answered long before, is found", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const history = perfectHistory(seed);
    const place = history.findIndex(({ kind, outcome, steps, startUs }, at) => {
      if (at < 100 || kind !== "call" || outcome !== "done") return false;
      const [step] = steps;
      if (step?.kind !== "list" || steps.length > 1) return false;
      const last = step.values.at(-1);
      const writer = history.find((other) =>
        other.steps.some((each) => each.kind === "append" && each.value === last),
      );
      return writer?.endUs !== null && (writer?.endUs ?? Infinity) < (startUs ?? 0);
    });
    const read = history[place];
    const [step] = read?.steps ?? [];
    if (read === undefined || step?.kind !== "list") continue;
    const steps = [{ ...step, values: step.values.slice(0, -1) }];
    assert.notDeepEqual(checkHistory(history.with(place, { ...read, steps })), [], `seed ${seed}`);
  }
});
