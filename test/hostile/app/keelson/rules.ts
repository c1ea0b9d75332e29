// Rules that can't be decided for some rows: a division by zero, a reference to nothing, a search through
// more rows than one request may visit.
import { rules } from "./schema.ts";

export default rules({
  item: { read: () => true, create: () => true },
  big: { read: () => true },
  odd: {
    read: ({ row }) => row.share! / row.of > 0.5 || row.item!.count > 3,
    create: ({ next }) => next.share! / next.of <= 1,
  },
  slow: {
    read: () => true,
    create: ({ next, db }) => db.big.some((b) => b.group === next.number),
  },
});
