// Writes that one address may make three times a minute.
import { t } from "keelson";
import { mutation } from "./schema.ts";

export const add = mutation({
  args: { text: t.text({ max: 100 }) },
  allow: "anyone",
  limit: { perAddress: "3/minute" },
  async run({ db }, { text }) {
    await db.note.create({ text });
  },
});
