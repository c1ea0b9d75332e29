// Puts the best known films on the programme for a week: as staff, by the app's own function.
import { createClient } from "keelson/client";
import type app from "../keelson/app.ts";

const days = 7;
const dayMs = 86_400_000;

/** Each hall shows one film at each hour: twenty in all. */
const halls = [
  { hall: "Grand Hall", rows: 12, seatsPerRow: 16, price: 14_50 },
  { hall: "Blue Hall", rows: 10, seatsPerRow: 12, price: 12_50 },
  { hall: "Studio", rows: 8, seatsPerRow: 10, price: 11_00 },
  { hall: "Attic", rows: 6, seatsPerRow: 8, price: 9_50 },
  { hall: "Boathouse", rows: 5, seatsPerRow: 8, price: 9_00 },
];
const hours = [14, 17, 20, 22];

/** @param token of staff. @param now the first screenings are the next ones after it. @returns how many screenings were made. */
export async function scheduleWeek(url: string, token: string, now = new Date()): Promise<number> {
  const api = createClient<typeof app>(url, { token });
  const films = await api.film.list({
    where: { votes: { gt: 0 } },
    orderBy: "-votes",
    limit: halls.length * hours.length,
  });
  let made = 0;
  for (const [index, film] of films.entries()) {
    const hall = halls[index % halls.length];
    const hour = hours[Math.floor(index / halls.length)];
    if (hall === undefined || hour === undefined) break;
    const firstAt = nextAt(hour, now).toISOString();
    made += await api.office.schedule({ film: film.id, firstAt, days, ...hall });
  }
  return made;
}

/** The next time that it is this hour here. */
function nextAt(hour: number, now: Date): Date {
  const at = new Date(now.getFullYear(), now.getMonth(), now.getDate(), hour);
  return at > now ? at : new Date(at.getTime() + dayMs);
}
