// The import of the real file into a real server: every record is accounted for, and a second run adds none.
import assert from "node:assert/strict";
import { test } from "node:test";
import { importFilms, readMovies } from "../import/import-films.ts";
import { scheduleWeek } from "../import/schedule-week.ts";
import { openTicketOffice } from "./ticket-office.case.ts";

test("3,201 records are read, each created, already there or refused, and none twice", async (context) => {
  const office = await openTicketOffice(context);
  const staff = await office.signIn("Box office", "staff");
  const filmsStored = async (): Promise<number> => {
    const path = `/api/tables/film?aggregate=${encodeURIComponent('{"films":"count"}')}`;
    const { text } = await office.ask(null, "GET", path);
    return (JSON.parse(text) as { rows: readonly [{ films: number }] }).rows[0].films;
  };

  const steps: number[] = [];
  const first = await importFilms(office.url, staff.token, (done) => steps.push(done));
  assert.equal(readMovies().length, 3_201);
  assert.equal(first.read, 3_201);
  assert.equal(first.created, 3_200);
  assert.deepEqual(first.present, []);
  assert.deepEqual(
    first.refused.map(({ line, record, why }) => [line, record["Title"], why]),
    [[3_054, null, "VALUE_INVALID: title is required"]],
  );
  assert.equal(first.repaired.length, 56);
  assert.equal(steps.at(-1), 3_201);
  assert.equal(await filmsStored(), 3_200);

  const second = await importFilms(office.url, staff.token);
  assert.equal(second.read, 3_201);
  assert.equal(second.created, 0);
  assert.equal(second.present.length, 3_200);
  assert.deepEqual(second.refused, first.refused);
  assert.deepEqual(second.repaired, [], "what was there before is not repaired again");
  assert.equal(await filmsStored(), 3_200);

  const { text } = await office.ask(null, "GET", "/api/tables/film?search=leon%20besson&limit=2");
  assert.match(text, /Léon/, "a repaired title is found without its accent");

  assert.equal(await scheduleWeek(office.url, staff.token), 140, "20 films a day for 7 days");
  const playing = await office.ask(null, "POST", "cinema.playing", {});
  assert.equal((JSON.parse(playing.text) as unknown[]).length, 20);
});

test("without the rights of staff nothing is imported, and the report says why", async (context) => {
  const office = await openTicketOffice(context);
  const customer = await office.signIn("Ada");
  const report = await importFilms(office.url, customer.token);
  assert.equal(report.created, 0);
  assert.equal(report.refused.length, 3_201);
  const invalid = report.refused.filter(({ why }) => why.startsWith("VALUE_INVALID"));
  const denied = report.refused.filter(({ why }) => why.startsWith("RULE_DENIED"));
  assert.deepEqual([invalid.length, denied.length], [1, 3_200]);
});
