// One record of movies.json as a row of `film`: what is dirty is mended by a named repair, never silently,
// and what cannot be mended is left as it is for the app's own validation to refuse.

/** A record as it stands in the file. */
export type RawFilm = Readonly<Record<string, string | number | null>>;

/** A change that was made to a value, and why. */
export interface Repair {
  readonly field: string;
  readonly from: string | number | null;
  readonly to: string | number | null;
  readonly reason: string;
}

export interface RepairedFilm {
  readonly row: Record<string, string | number | null>;
  readonly repairs: readonly Repair[];
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** The dataset ends in 2010: a later year is one of two digits that was read into the wrong century. */
const lastYear = 2012;

/** Dates before cinema exists stand for "unknown"; the file uses 31 Dec 1969, the epoch in a western zone. */
const unknownDate = "Dec 31 1969";

// Latin-1 text that was once decoded as Mac OS Roman: byte 0x80 + index, both ways.
const macRoman =
  "ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü†°¢£§•¶ß®©™´¨≠ÆØ∞±≤≥¥µ∂∑∏π∫ªºΩæø¿¡¬√ƒ≈∆«»… ÀÃÕŒœ–—“”‘’÷◊ÿŸ⁄€‹›ﬁﬂ‡·‚„‰ÂÊÁËÈÍÎÏÌÓÔ\uF8FFÒÚÛÙıˆ˜¯˘˙˚¸˝˛ˇ";

/** @returns the row to create and every repair that was made on the way. */
export function repairFilm(raw: RawFilm): RepairedFilm {
  const repairs: Repair[] = [];
  const note = (
    field: string,
    from: string | number | null,
    to: string | number | null,
    reason: string,
  ) => {
    repairs.push({ field, from, to, reason });
    return to;
  };
  const text = (field: string, column: string): string | number | null => {
    const value = raw[column] ?? null;
    if (typeof value === "number")
      return note(field, value, String(value), "a number where a text belongs");
    if (value === null) return null;
    const mended = mendEncoding(value);
    return mended === value
      ? value
      : note(field, value, mended, "decoded with the wrong character set");
  };
  const cents = (column: string): number | null => {
    const dollars = raw[column];
    return typeof dollars === "number" ? dollars * 100 : null;
  };
  return {
    row: {
      title: text("title", "Title"),
      released: releaseDate(raw["Release Date"] ?? null, note),
      rating: raw["IMDB Rating"] ?? null,
      votes: raw["IMDB Votes"] ?? null,
      tomatoes: raw["Rotten Tomatoes Rating"] ?? null,
      mpaa: raw["MPAA Rating"] ?? null,
      minutes: raw["Running Time min"] ?? null,
      genre: text("genre", "Major Genre"),
      kind: text("kind", "Creative Type"),
      source: text("source", "Source"),
      director: text("director", "Director"),
      distributor: text("distributor", "Distributor"),
      budget: cents("Production Budget"),
      grossUs: cents("US Gross"),
      grossWorld: cents("Worldwide Gross"),
      dvdUs: cents("US DVD Sales"),
    },
    repairs,
  };
}

function releaseDate(
  value: string | number | null,
  note: (field: string, from: string | number | null, to: string | null, reason: string) => unknown,
): string | number | null {
  if (value === unknownDate) {
    note("released", value, null, "the epoch stands for an unknown date");
    return null;
  }
  const parts = /^([A-Z][a-z]{2}) (\d{2}) (\d{4})$/.exec(String(value ?? ""));
  const month = months.indexOf(parts?.[1] ?? "");
  if (parts === null || month === -1) return value;
  const year = Number(parts[3]);
  const day = `${String(month + 1).padStart(2, "0")}-${parts[2]}`;
  if (year <= lastYear) return `${year}-${day}`;
  const mended = `${year - 100}-${day}`;
  note("released", value, mended, "a year of two digits read into the wrong century");
  return mended;
}

/** Undoes "Latin-1 read as Mac OS Roman" where every odd character fits it and the outcome is a Latin letter or a half. */
function mendEncoding(value: string): string {
  const odd = Array.from(value).filter((char) => char.charCodeAt(0) > 127);
  if (odd.length === 0) return value;
  const mended = odd.map((char) => String.fromCharCode(0x80 + macRoman.indexOf(char)));
  if (!odd.every((char, index) => macRoman.includes(char) && isLatinLetter(mended[index] ?? "")))
    return value;
  return Array.from(value)
    .map((char) => (char.charCodeAt(0) > 127 ? (mended.shift() ?? "") : char))
    .join("");
}

function isLatinLetter(char: string): boolean {
  return /^[À-ÖØ-öø-ÿ½]$/.test(char);
}
