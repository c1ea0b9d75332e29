// Functions: what the app does beyond reading and writing single rows. They run on the server with the
// caller's rights; `db` shows and takes only what the rules allow. Arguments and results are validated from
// the definitions here, and the page gets its types from them.
import { Refusal, t } from "keelson";
import { mutation, query } from "./schema.ts";

/** The newest ideas, most votes first. */
export const ranking = query({
  args: {},
  allow: "anyone",
  returns: t.list(
    t.object({
      id: t.id("idea"),
      title: t.text(),
      details: t.text().optional(),
      votes: t.int(),
    }),
  ),
  async run({ db }) {
    const ideas = await db.idea.list({ orderBy: "-createdAt", limit: 100 });
    // Votes may be read by their voters only. To count all of them, the function steps outside the rules:
    // it says why, and every such place shows up in the review.
    const counts = await db.asSystem("only numbers of votes leave, no names").vote.aggregate({
      where: { idea: { in: ideas.map((idea) => idea.id) } },
      groupBy: ["idea"],
      values: { votes: "count" },
      limit: 100,
    });
    const votesOf = new Map(counts.map(({ idea, votes }) => [idea, votes]));
    return ideas
      .map(({ id, title, details }) => ({ id, title, details, votes: votesOf.get(id) ?? 0 }))
      .toSorted((a, b) => b.votes - a.votes);
  },
});

/** Adds an idea. A mutation is one transaction: it happens as a whole, or not at all. */
export const add = mutation({
  args: { title: t.text({ min: 3, max: 120 }), details: t.text({ max: 2_000 }).optional() },
  allow: "signed-in",
  limit: { perUser: "20/minute" },
  returns: t.id("idea"),
  async run({ db, me }, { title, details }) {
    const idea = await db.idea.create({ title, details, author: me.id });
    return idea.id;
  },
});

/** Votes for an idea, or takes the vote back. @returns whether the caller's vote counts now. */
export const vote = mutation({
  args: { idea: t.id("idea") },
  allow: "signed-in",
  returns: t.bool(),
  async run({ db, me }, { idea }) {
    const wanted = await db.idea.get(idea);
    if (wanted === null) throw new Refusal("IDEA_GONE", "There is no such idea any more.");
    if (wanted.author === me.id) throw new Refusal("OWN_IDEA", "Others vote for your ideas.");
    const mine = await db.vote.first({ where: { idea, voter: me.id } });
    if (mine === null) {
      await db.vote.create({ idea, voter: me.id });
      return true;
    }
    await db.vote.delete(mine.id);
    return false;
  },
});
