// The cost of a commit grows with the subscriptions that it touches, not with their number: what is counted here is
// how many are asked whether a change touches them.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import type { Manifest } from "../model/manifest.ts";
import type { Row } from "../store/store.ts";
import { noFields, type Dependency } from "./dependency.ts";
import { DependencyIndex } from "./dependency-index.ts";
import type { IndexKeys } from "./index-key.ts";
import { openWorld } from "./live-world.case.ts";

let manifest: Manifest;
before(async () => {
  const world = await openWorld((feed) => feed);
  manifest = world.harness.manifest;
  world.hub.close();
  await world.harness.close();
});

const count = 10_000;

/** An index of many owners, each with one dependency, that counts how many of them a change asks. */
function openIndex(
  keysOf: (owner: number) => IndexKeys,
  isMatch: (owner: number, row: Row) => boolean,
) {
  const index = new DependencyIndex<number>(manifest);
  let asked = 0;
  const placed = Array.from({ length: count }, (_, owner) => {
    const dependency: Dependency = {
      kind: "rows",
      table: "film",
      keys: keysOf(owner),
      mayMatch: (row) => {
        asked += 1;
        return isMatch(owner, row);
      },
      fields: null,
      isBeyond: null,
      matching: noFields,
    };
    return index.add(owner, [dependency]);
  });
  return {
    change(
      before: Row | null,
      after: Row | null,
    ): { readonly touched: number[]; readonly asked: number } {
      asked = 0;
      const touched = new Set<number>();
      const id = String((before ?? after)?.["id"]);
      index.touched({ table: "film", id, before, after }, touched);
      return { touched: [...touched].toSorted((a, b) => a - b), asked };
    },
    empty(): number {
      for (const indexed of placed) index.remove(indexed);
      return index.size;
    },
  };
}

const film = (fields: Row): Row => ({
  id: "film_1",
  title: "t",
  rating: null,
  hall: null,
  budget: null,
  ...fields,
});

test("a change asks those who wait for one of its values", () => {
  const index = openIndex(
    (owner) => [{ kind: "value", field: "hall", value: `h${owner}` }],
    (owner, row) => row["hall"] === `h${owner}`,
  );
  const created = index.change(null, film({ hall: "h77" }));
  assert.deepEqual(created.touched, [77]);
  assert.ok(created.asked <= 2);
  const moved = index.change(film({ hall: "h1" }), film({ hall: "h2" }));
  assert.deepEqual(moved.touched, [1, 2]);
  assert.ok(moved.asked <= 4);
  assert.deepEqual(index.change(film({ hall: "x" }), film({ hall: "y" })), {
    touched: [],
    asked: 0,
  });
  assert.equal(index.empty(), 0);
});

test("a change asks those in whose range its value is, or was", () => {
  const index = openIndex(
    (owner) => [{ kind: "range", field: "rating", range: { low: owner, high: owner + 2 } }],
    (owner, row) => Number(row["rating"]) > owner && Number(row["rating"]) < owner + 2,
  );
  const created = index.change(null, film({ rating: 500 }));
  assert.deepEqual(created.touched, [499]);
  assert.ok(created.asked <= 3, `${created.asked} asked`);
  const moved = index.change(film({ rating: 10 }), film({ rating: 9_000 }));
  assert.deepEqual(moved.touched, [9, 8_999]);
  assert.ok(moved.asked <= 12, `${moved.asked} asked`);
  assert.deepEqual(index.change(null, film({ rating: null })), { touched: [], asked: 0 });
  assert.equal(index.empty(), 0);
});

test("ranges of texts are told apart as numbers are", () => {
  const name = (owner: number) => String(owner).padStart(5, "0");
  const index = openIndex(
    (owner) => [
      { kind: "range", field: "title", range: { low: name(owner), high: `${name(owner)}~` } },
    ],
    (owner, row) => String(row["title"]).startsWith(name(owner)),
  );
  const created = index.change(null, film({ title: "00042 x" }));
  assert.deepEqual(created.touched, [42]);
  assert.equal(created.asked, 1);
  assert.equal(index.empty(), 0);
});

test("what has no bound is asked at every change of its table, and at none of another", () => {
  const index = openIndex(
    () => null,
    (owner) => owner === 3,
  );
  assert.deepEqual(index.change(null, film({})), { touched: [3], asked: count });
  assert.equal(index.empty(), 0);
});
