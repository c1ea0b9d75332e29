// What the repairs do to the real file: the counts are those of vega-datasets 3.2.1.
import assert from "node:assert/strict";
import { test } from "node:test";
import { repairFilm } from "./film-repair.ts";
import { readMovies } from "./import-films.ts";

test("every repair of the real file is named and counted", () => {
  const counts: Record<string, number> = {};
  for (const record of readMovies()) {
    for (const { reason } of repairFilm(record).repairs) counts[reason] = (counts[reason] ?? 0) + 1;
  }
  assert.deepEqual(counts, {
    "a number where a text belongs": 9,
    "a year of two digits read into the wrong century": 22,
    "decoded with the wrong character set": 17,
    "the epoch stands for an unknown date": 8,
  });
});

test("a date of the wrong century is moved by a hundred years", () => {
  const { row } = repairFilm({ Title: "King Kong (1933)", "Release Date": "Apr 07 2033" });
  assert.equal(row["released"], "1933-04-07");
});

test("a title decoded with the wrong character set is mended, a rightly foreign one is not", () => {
  assert.equal(repairFilm({ Title: "LÈon" }).row["title"], "Léon");
  assert.equal(repairFilm({ Title: "Alien³" }).row["title"], "Alien³");
});

test("what can't be mended is left for the app to refuse", () => {
  const { row, repairs } = repairFilm({ Title: null, "Release Date": "Sometime" });
  assert.equal(row["title"], null);
  assert.equal(row["released"], "Sometime");
  assert.deepEqual(repairs, []);
});
