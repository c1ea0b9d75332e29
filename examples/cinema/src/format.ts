// Amounts, days and times as people read them.

const euros = new Intl.NumberFormat(undefined, { style: "currency", currency: "EUR" });
const day = new Intl.DateTimeFormat(undefined, {
  weekday: "short",
  day: "numeric",
  month: "short",
});
const hour = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

/** @param cents minor units. */
export function price(cents: number): string {
  return euros.format(cents / 100);
}

/** The hour and minute. @param time RFC 3339. */
export function clock(time: string): string {
  return hour.format(new Date(time));
}

/** @param time RFC 3339. */
export function when(time: string): string {
  const date = new Date(time);
  return `${day.format(date)}, ${hour.format(date)}`;
}
