// The tables of this app. A row also has an `id`. The table `user` is there without being declared:
// people with a name, an e-mail and a role. Save this file while `keelson dev` runs, and the database
// follows; a change that would lose data is refused and explained.
import { define, table, t } from "keelson";

export const { query, mutation, rules, app } = define({
  idea: table({
    title: t.text({ min: 3, max: 120 }),
    details: t.text({ max: 2_000 }).optional(),
    author: t.ref("user").immutable(),
    createdAt: t.time().default("now").immutable(),
  })
    // Lists by time are read from this index, however many ideas there are.
    .index("createdAt")
    // Search in titles: /api/tables/idea?search=bike
    .search("title"),

  vote: table({
    // When an idea goes, its votes go with it.
    idea: t.ref("idea", { onDelete: "cascade" }),
    voter: t.ref("user"),
  })
    // One vote a person and idea, kept by the database also when two requests come at once.
    .unique("idea", "voter"),
});
