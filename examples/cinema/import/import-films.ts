// Brings the 3,201 films of vega-datasets (movies.json, BSD-3-Clause) into a running server, row by row through
// the app's own validation and rules, as a member of staff. Every repaired and every refused row is reported;
// read = created + already there + refused, or the program fails.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createClient, KeelsonError, type Client } from "keelson/client";
import type app from "../keelson/app.ts";
import { repairFilm, type RawFilm, type Repair } from "./film-repair.ts";

const inFlight = 32;

export interface ImportReport {
  readonly read: number;
  readonly created: number;
  /** The same title and release date was there before: an earlier run, or a repeated record. */
  readonly present: readonly { readonly line: number; readonly title: string }[];
  readonly refused: readonly {
    readonly line: number;
    readonly record: RawFilm;
    readonly why: string;
  }[];
  readonly repaired: readonly (Repair & { readonly line: number })[];
}

/** The records as they stand in the package. */
export function readMovies(): readonly RawFilm[] {
  const file = new URL("../data/movies.json", import.meta.resolve("vega-datasets"));
  return JSON.parse(readFileSync(fileURLToPath(file), "utf8")) as readonly RawFilm[];
}

/** @param onProgress called after each record with the number done. */
export async function importFilms(
  url: string,
  token: string,
  onProgress: (done: number, all: number) => void = () => {},
): Promise<ImportReport> {
  const api = createClient<typeof app>(url, { token });
  const records = readMovies();
  const undated = await undatedTitles(api);
  const present: { line: number; title: string }[] = [];
  const refused: { line: number; record: RawFilm; why: string }[] = [];
  const repaired: (Repair & { line: number })[] = [];
  let created = 0;
  let next = 0;
  let done = 0;
  const work = async (): Promise<void> => {
    while (next < records.length) {
      const line = ++next;
      const record = records[line - 1] as RawFilm;
      const { row, repairs } = repairFilm(record);
      const title = String(row["title"]);
      try {
        if (row["released"] === null) {
          // The database's constraint lets absent dates meet: rows without one are compared here.
          if (undated.has(title)) {
            present.push({ line, title });
            continue;
          }
          undated.add(title);
        }
        // The server validates: what the types promise, a dirty file does not.
        await api.film.create(row as unknown as Parameters<typeof api.film.create>[0]);
        created++;
        repaired.push(...repairs.map((repair) => ({ line, ...repair })));
      } catch (error) {
        if (!(error instanceof KeelsonError)) throw error;
        if (error.code === "UNIQUE_TAKEN") present.push({ line, title });
        else if (error.status < 500) refused.push({ line, record, why: reasonOf(error) });
        else throw error;
      } finally {
        onProgress(++done, records.length);
      }
    }
  };
  await Promise.all(Array.from({ length: inFlight }, work));
  if (created + present.length + refused.length !== records.length) {
    throw new Error(
      `${records.length} read, but ${created + present.length + refused.length} accounted for`,
    );
  }
  const byLine = (a: { line: number }, b: { line: number }): number => a.line - b.line;
  return {
    read: records.length,
    created,
    present: present.toSorted(byLine),
    refused: refused.toSorted(byLine),
    repaired: repaired.toSorted(byLine),
  };
}

/** Titles of the films that are there without a release date. */
async function undatedTitles(api: Client<typeof app>): Promise<Set<string>> {
  const titles = new Set<string>();
  let after: string | null = null;
  do {
    const page = await undatedPage(api, after);
    for (const { title } of page.rows) titles.add(title);
    after = page.next;
  } while (after !== null);
  return titles;
}

function undatedPage(api: Client<typeof app>, after: string | null) {
  return api.film.page({
    where: { released: null },
    select: ["title"],
    orderBy: "id",
    limit: 1_000,
    ...(after !== null && { after }),
  });
}

/** `VALUE_INVALID: title is required`: the code, and what the server says of each value. */
function reasonOf({ code, message, details }: KeelsonError): string {
  const issues = Array.isArray(details["issues"]) ? details["issues"] : [];
  const told = issues.map((issue) => {
    const { path, problem } = issue as { readonly path: string; readonly problem: string };
    return `${path} ${problem}`;
  });
  return `${code}: ${told.length === 0 ? message : told.join("; ")}`;
}

/** The counts of a report as a sentence. */
export function countsText({ read, created, present, refused, repaired }: ImportReport): string {
  return (
    `${read} films read: ${created} created, ${present.length} already there, ` +
    `${refused.length} refused; ${repaired.length} values repaired`
  );
}

if (import.meta.main) {
  const [url, token, reportFile] = process.argv.slice(2);
  if (url === undefined || token === undefined) {
    console.error("usage: node import-films.ts <url> <staff token> [report.json]");
    process.exit(1);
  }
  const report = await importFilms(url, token);
  if (reportFile !== undefined) writeFileSync(reportFile, `${JSON.stringify(report, null, 2)}\n`);
  console.log(countsText(report));
}
