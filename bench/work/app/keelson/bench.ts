// A job that does nothing, and who enqueues it: one, or many for later.
import { t } from "keelson";
import { mutation, queue } from "./schema.ts";

export const nothing = mutation({ args: {}, async run() {} });
export const nothings = queue(nothing);

export const put = mutation({
  args: {},
  run: ({ enqueue }) => enqueue(nothings, {}).then(() => {}),
});

export const fill = mutation({
  args: { count: t.int() },
  async run({ enqueue }, { count }) {
    for (let index = 0; index < count; index++) await enqueue(nothings, {}, { in: "10d" });
  },
});
