// Rows that are read before a function asks for them: nothing that anybody can see may tell that from rows that it asked for.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Json } from "../base/json.ts";
import { openGateHarness, type Asker, type GateHarness } from "./gate-harness.case.ts";
import { plantStudio, studioFiles, type Studio } from "./studio.case.ts";
import { RowHabit, type RowRead } from "./row-habits.ts";

const habits = `
import { t } from "keelson";
import { query, mutation } from "./schema.ts";

const two = { one: t.id("film"), other: t.id("film") };
export const both = query({
  args: two, allow: "anyone",
  run: async ({ db }, { one, other }) => [await db.film.get(one), await db.film.get(other)],
});
export const each = query({
  args: { ids: t.list(t.id("film"), { max: 30 }) }, allow: "anyone",
  async run({ db }, { ids }) {
    const rows = [];
    for (const id of ids) rows.push(await db.film.get(id));
    return rows;
  },
});
export const elevated = query({
  args: two, allow: "anyone",
  async run({ db }, { one, other }) {
    const all = db.asSystem("for a test");
    return [await all.film.get(one), await db.film.get(other), await all.film.get(one)];
  },
});
export const maybe = query({
  args: { ...two, isBoth: t.bool() }, allow: "anyone",
  async run({ db }, { one, other, isBoth }) {
    const first = await db.film.get(one);
    return isBoth ? [first, await db.film.get(other)] : [first];
  },
});
export const spoil = query({
  args: two, allow: "anyone",
  async run({ db }, { one, other }) {
    const first = await db.film.get(one) as { title: string } | null;
    if (first !== null) first.title = "mine";
    return [await db.film.get(one), await db.film.get(other)];
  },
});
export const rename = mutation({
  args: { one: t.id("film"), title: t.text({ max: 50 }) }, allow: "signed-in",
  async run({ db }, { one, title }) {
    const before = await db.film.get(one);
    await db.film.update(one, { title } as never);
    const after = await db.film.get(one);
    return [(before as { title: string } | null)?.title ?? null, (after as { title: string } | null)?.title ?? null];
  },
});
export const inner = mutation({
  args: { one: t.id("film"), title: t.text({ max: 50 }) }, allow: "nobody",
  run: ({ db }, { one, title }) => db.film.update(one, { title } as never),
});
export const outer = mutation({
  args: { one: t.id("film"), title: t.text({ max: 50 }) }, allow: "signed-in",
  async run({ db, run }, { one, title }) {
    const ran = run(inner, { one, title });
    const seen = await db.film.get(one) as { title: string } | null;
    await ran;
    return seen?.title ?? null;
  },
});
export const fails = mutation({
  args: two, allow: "signed-in",
  async run({ db }, { one, other }) {
    await db.film.get(one);
    if (await db.film.get(other) !== null) throw new Error("as it is");
    return null;
  },
});
`;

const files = {
  ...studioFiles,
  "habits.ts": habits,
  "app.ts": studioFiles["app.ts"]
    .replace("import * as studio", 'import * as habits from "./habits.ts";\nimport * as studio')
    .replace("{ studio }", "{ studio, habits }"),
};

const people = ["nobody", "ann", "bob", "staff"] as const;

function askerOf(studio: Studio, who: (typeof people)[number]): Asker {
  return who === "nobody" ? null : studio[who];
}

describe("a function with a habit", () => {
  let harness: GateHarness;
  let studio: Studio;

  before(async () => {
    harness = await openGateHarness({ files, functions: true, development: false });
    studio = await plantStudio(harness);
  });
  after(() => harness.close());

  /** What is answered, and all that the trace tells of the work but its time. */
  async function told(who: Asker, name: string, args: Json): Promise<object> {
    const operation = { kind: "call", name: `habits.${name}`, args } as const;
    const { code, text } = await harness.ask(who, operation);
    const { cpuUs: _, queries, ...work } = harness.lastTrace().work;
    // Rows that came along are noted when the call is over.
    const notes = (queries ?? []).map((note) => JSON.stringify(note)).toSorted();
    return { code, text, notes, work };
  }

  const asked: readonly (readonly [string, (id: Studio["id"]) => Json])[] = [
    ["both", (id) => ({ one: id.open, other: id.draft })],
    ["both", (id) => ({ one: id.bobs, other: id.bobs })],
    ["each", (id) => ({ ids: [id.open, id.bobs, id.draft, id.open] })],
    ["each", () => ({ ids: [] })],
    ["each", (id) => ({ ids: Array.from({ length: 20 }, () => id.bobs) })],
    ["elevated", (id) => ({ one: id.draft, other: id.draft })],
    ["maybe", (id) => ({ one: id.open, other: id.bobs, isBoth: true })],
    ["maybe", (id) => ({ one: id.open, other: id.bobs, isBoth: false })],
    ["spoil", (id) => ({ one: id.open, other: id.draft })],
    ["fails", (id) => ({ one: id.open, other: id.bobs })],
    ["fails", (id) => ({ one: id.open, other: id.draft })],
  ];

  test("answers, and is traced, as one without", async () => {
    const ask = async (): Promise<readonly object[]> => {
      const all = [];
      for (const [name, args] of asked) {
        for (const who of people) all.push(await told(askerOf(studio, who), name, args(studio.id)));
      }
      return all;
    };
    // The first calls are watched. From the third round on every function here has its habit.
    const first = await ask();
    for (let round = 0; round < 4; round++) {
      for (const [index, again] of (await ask()).entries()) assert.deepEqual(again, first[index]);
    }
    for (const name of ["both", "each", "elevated", "spoil"]) {
      assert.ok(await sendsAlong(name), `${name} is sent rows`);
    }
  });

  /** Whether rows come along: a function's own system calls are counted by its isolate, without those. */
  async function sendsAlong(name: string): Promise<boolean> {
    const args = asked.find(([asked]) => asked === name)?.[1](studio.id) ?? null;
    const made: number[] = [];
    const { isolates } = harness.parts;
    const call = isolates.call.bind(isolates);
    isolates.call = (input, system) => {
      made.push(input.ahead?.rows.length ?? 0);
      return call(input, system);
    };
    try {
      await told(studio.ann, name, args);
    } finally {
      isolates.call = call;
    }
    return made.some((rows) => rows > 0);
  }

  test("sees what it wrote itself, and what those wrote that it ran", async () => {
    for (let round = 0; round < 12; round++) {
      const args = { one: studio.id.open, title: `title ${round}` };
      const before = round === 0 ? "Open" : `title ${round - 1} again`;
      const operation = { kind: "call", name: "habits.rename", args } as const;
      assert.deepEqual(await harness.value(studio.ann, operation), [before, `title ${round}`]);
      const again = { ...args, title: `title ${round} again` };
      const outer = { kind: "call", name: "habits.outer", args: again } as const;
      assert.equal(await harness.value(studio.ann, outer), `title ${round} again`);
    }
  });

  test("is held to its limits by rows that came along", async () => {
    const tight = await openGateHarness({
      files,
      functions: true,
      development: false,
      limits: { rowsReadMax: 8, systemCallsMax: 12 },
    });
    try {
      const { ann, id } = await plantStudio(tight);
      const ids = (count: number): Json => Array.from({ length: count }, () => id.open);
      const code = async (count: number) => {
        const args = { ids: ids(count) };
        return (await tight.ask(ann, { kind: "call", name: "habits.each", args })).code;
      };
      for (let round = 0; round < 12; round++) assert.equal(await code(8), null);
      assert.equal(await code(9), "FUNCTION_ROWS_EXCEEDED");
      assert.equal(await code(8), null);
    } finally {
      await tight.close();
    }
  });
});

const film = { table: "film", reason: "" };

/** Has a habit learn what a function reads that is called so. */
function taught(calls: readonly (readonly [Json, readonly string[]])[]): RowHabit {
  const habit = new RowHabit();
  for (const [args, ids] of calls) {
    assert.ok(habit.isLearning);
    habit.learn(
      args,
      ids.map((id): RowRead => ({ target: film, id })),
    );
  }
  return habit;
}

/** The ids that it would read before a call. */
function readBy(habit: RowHabit, args: Json): readonly string[] {
  const peeked: string[] = [];
  const peek = (_table: string, id: string) => {
    peeked.push(id);
    return Object.freeze({ id });
  };
  const ahead = habit.read({ peek } as never, args, "caller");
  assert.deepEqual(ahead?.rows.map(({ id }) => id) ?? [], peeked);
  return peeked;
}

test("a habit is what every call did that was watched", () => {
  const always = Array.from(
    { length: 8 },
    (_, n) => [{ a: `x${n}`, b: `y${n}` }, [`x${n}`]] as const,
  );
  assert.deepEqual(readBy(taught(always), { a: "1", b: "2" }), ["1"]);
  const once = [...always.slice(1), [{ a: "x", b: "y" }, ["y"]] as const];
  assert.deepEqual(readBy(taught(once), { a: "1", b: "2" }), []);
});

test("of a list all are read, or none is", () => {
  const all = Array.from({ length: 8 }, () => [{ ids: ["a", "b"] }, ["b", "a"]] as const);
  assert.deepEqual(readBy(taught(all), { ids: ["c", "d", 5, "e"] }), ["c", "d", "e"]);
  const some = [...all.slice(1), [{ ids: ["a", "b"] }, ["a"]] as const];
  assert.deepEqual(readBy(taught(some), { ids: ["c"] }), []);
});

test("calls without the argument tell nothing of it, and some must have it", () => {
  const given = [{ a: "x" }, ["x"]] as const;
  const without = [{ a: null }, []] as const;
  const half = [given, without, given, without, given, without, given, without];
  assert.deepEqual(readBy(taught(half), { a: "1" }), ["1"]);
  assert.deepEqual(readBy(taught(half), { a: null }), []);
  const rare = [given, without, without, without, without, without, without, without];
  assert.deepEqual(readBy(taught(rare), { a: "1" }), []);
});

test("a habit that is wrong too often ends, and is learned anew after some thousand calls", () => {
  const habit = taught(Array.from({ length: 8 }, () => [{ a: "x" }, ["x"]] as const));
  for (let call = 0; call < 200; call++) {
    readBy(habit, { a: "x" });
    habit.judge(1);
  }
  assert.deepEqual(readBy(habit, { a: "x" }), []);
  assert.equal(habit.isLearning, false);
  for (let call = 0; call < 4_096; call++) readBy(habit, { a: "x" });
  assert.equal(habit.isLearning, true);
});
