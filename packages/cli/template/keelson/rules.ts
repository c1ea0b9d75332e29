// Who may do what: the whole security policy, on one page. Keelson reads these functions and turns them
// into conditions of every query, so no door, list or count gets past them. What no rule allows is denied,
// and a row that someone may not read does not exist for them.
import { rules } from "./schema.ts";

export default rules({
  idea: {
    read: () => true,
    // `next` is the row as it would be written, `me` is who asks (me.id is null for strangers).
    create: ({ next, me }) => next.author === me.id,
    update: ({ row, me }) => row.author === me.id,
    delete: ({ row, me }) => row.author === me.id || me.role === "admin",
    // The server's clock says when, not whoever asks: an idea of tomorrow would stay on top of the list.
    fields: { createdAt: { write: () => false } },
  },
  vote: {
    // Nobody sees what others voted for. Function board.ranking counts votes and shows no names.
    read: ({ row, me }) => row.voter === me.id,
    create: ({ next, me }) => next.voter === me.id,
    delete: ({ row, me }) => row.voter === me.id,
  },
});
