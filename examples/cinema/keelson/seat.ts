// Seats as people call them (F7: sixth row, seventh place), and how long one is held.

const holdMs = 600_000;
const firstRow = "A".charCodeAt(0);

/** @param row from 1. @param place from 1. */
export function seatName(row: number, place: number): string {
  return `${String.fromCharCode(firstRow + row - 1)}${place}`;
}

/** @returns null when it is no seat of any hall. */
export function parseSeat(seat: string): { readonly row: number; readonly place: number } | null {
  if (!/^[A-Y][1-9][0-9]?$/.test(seat)) return null;
  return { row: seat.charCodeAt(0) - firstRow + 1, place: Number(seat.slice(1)) };
}

/** When a hold that began at `heldAt` is over. Both RFC 3339. */
export function holdExpiry(heldAt: string): string {
  return new Date(Date.parse(heldAt) + holdMs).toISOString();
}
