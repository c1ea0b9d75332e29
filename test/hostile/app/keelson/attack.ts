// What no honest function does.
import { t } from "keelson";
import { action, mutation, query } from "./schema.ts";

const forever = (): void => void Promise.resolve().then(forever);

export const loop = query({
  args: {},
  allow: "anyone",
  run() {
    for (;;);
  },
});
export const loopInMutation = mutation({
  args: {},
  allow: "anyone",
  async run({ db }) {
    await db.item.create({ name: "never", count: 0 });
    for (;;);
  },
});
export const loopInAction = action({
  args: {},
  allow: "anyone",
  run() {
    for (;;);
  },
});
/** A chain that keeps nothing: it is time that ends it, not memory. */
function endlessly(): Promise<never> {
  forever();
  return new Promise(() => {});
}
export const microtasks = query({ args: {}, allow: "anyone", run: endlessly });
export const expression = query({
  args: {},
  allow: "anyone",
  run: () => /^(a+)+$/.test(`${"a".repeat(40)}b`),
});
export const memory = query({
  args: {},
  allow: "anyone",
  run() {
    const kept: number[][] = [];
    for (;;) kept.push(new Array<number>(200_000).fill(1.5));
  },
});
export const stack = query({
  args: {},
  allow: "anyone",
  run() {
    const again = (): number => again() + 1;
    return again();
  },
});
export const calls = query({
  args: {},
  allow: "anyone",
  async run({ db }) {
    for (;;) await db.item.get("item_01h455vb4pex5vsknk084sn02q");
  },
});
export const rows = query({
  args: {},
  allow: "anyone",
  async run({ db }) {
    for (;;) await db.big.list({ limit: 1_000 });
  },
});
export const nothing = query({
  args: {},
  allow: "anyone",
  run: () => new Promise<never>(() => {}),
});
export const large = query({
  args: {},
  allow: "anyone",
  run: () => "x".repeat(5_000_000),
});
export const fails = query({
  args: {},
  allow: "anyone",
  run() {
    throw new Error("planned");
  },
});
export const scan = query({
  args: { group: t.int() },
  allow: "anyone",
  async run({ db }, { group }) {
    return (await db.big.list({ where: { group }, limit: 1 })).length;
  },
});

/** Honest ones. */
export const itemCount = query({ args: {}, allow: "anyone", run: ({ db }) => db.item.count({}) });
export const add = mutation({
  args: { name: t.text({ max: 100 }) },
  allow: "anyone",
  async run({ db }, { name }) {
    return (await db.item.create({ name, count: 1 })).id;
  },
});
export const takes = query({
  args: { text: t.text({ max: 100 }) },
  allow: "anyone",
  run: (_, { text }) => text,
});
