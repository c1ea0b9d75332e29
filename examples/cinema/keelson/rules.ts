// Who may see and change what. Everything that is not written here is refused.
import { rules } from "./schema.ts";

export default rules({
  user: {
    read: ({ row, me }) => row.id === me.id || me.role === "staff",
    update: ({ row, me }) => row.id === me.id,
    // Nobody makes themselves staff: office.hire does.
    fields: { role: { write: () => false } },
  },
  film: {
    read: () => true,
    write: ({ me }) => me.role === "staff",
  },
  screening: {
    read: () => true,
    write: ({ me }) => me.role === "staff",
  },
  booking: {
    read: ({ row, me }) => row.customer === me.id || me.role === "staff",
    // For oneself, at the price of the screening, a seat that the hall has, before it begins.
    create: ({ next, me, now }) =>
      next.customer === me.id &&
      next.status === "held" &&
      next.price === next.screening.price &&
      next.row <= next.screening.rows &&
      next.place <= next.screening.seatsPerRow &&
      next.screening.startsAt > now &&
      next.screening.status === "planned",
    // One can let go of what one holds. Nobody can say that they have paid: Stripe does. What is paid is let go by
    // cinema.release, which gives the money back.
    update: ({ row, next, me }) =>
      row.customer === me.id && row.status === "held" && next.status === "cancelled",
    fields: { heldAt: { write: () => false }, payment: { write: () => false } },
  },
  payment: {
    read: ({ row, me }) => row.customer === me.id || me.role === "staff",
  },
  refund: {
    read: ({ row, me }) => row.payment.customer === me.id || me.role === "staff",
  },
  report: {
    read: ({ me }) => me.role === "staff",
  },
});
