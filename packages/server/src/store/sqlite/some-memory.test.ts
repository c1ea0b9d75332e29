// What the writer remembers of `some` is what the file says, whatever is written between two questions.
import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../../base/limits.ts";
import type { Row, RuleOuter, WriteTx } from "../store.ts";
import {
  compare,
  idOf,
  itemPath,
  literal,
  metaOf,
  rowOf,
  rowPath,
  storeTables,
} from "../store.fixture.ts";
import { openSqliteStore } from "./sqlite-store.ts";
import { tempFile } from "./temp-file.case.ts";

const film = rowOf("film", 1);
const outer: RuleOuter = {
  row: film,
  next: null,
  items: {},
  bindings: { me: { id: null, role: null }, now: "2026-01-31T20:15:00.000Z" },
};
const ofFilm = compare("==", itemPath("s", "film"), rowPath(["id"]));
const dear = compare(">", itemPath("s", "price"), literal(100));

test("an answer of `some` is forgotten when its table changes, in every way that it can", () => {
  const store = openSqliteStore({ path: tempFile(), manifest: { tables: storeTables }, limits });
  const group = store.openGroup();
  const mutate = (body: (tx: WriteTx) => void) =>
    group.mutate(metaOf(), (tx) => {
      body(tx);
      return "null";
    });
  const screening: Row = { ...rowOf("screening", 1), film: idOf("film", 1), price: 5 };
  const id = idOf("screening", 1);
  const ask = (tx: WriteTx) => [
    tx.some("screening", "s", ofFilm, outer),
    tx.some("screening", "s", dear, outer),
  ];
  const asked = (expected: readonly boolean[]) => {
    for (let again = 0; again < 2; again++) {
      const done = mutate((tx) => assert.deepEqual(ask(tx), expected));
      assert.deepEqual({ kind: "done" }, { kind: (done as { readonly kind: string }).kind });
    }
  };
  mutate((tx) => {
    void tx.insert("user", rowOf("user", 1));
    void tx.insert("film", film);
  });
  asked([false, false]);
  mutate((tx) => void tx.insert("screening", screening));
  asked([true, false]);
  mutate((tx) => void tx.update("screening", id, { price: 200 }));
  asked([true, true]);
  // Taken back: the answer that stood meanwhile is not true any more.
  mutate((tx) => {
    void tx.update("screening", id, { price: 7 });
    assert.deepEqual(ask(tx), [true, false]);
    throw new Error("refused afterwards");
  });
  asked([true, true]);
  mutate((tx) => {
    void tx.delete("screening", id);
    assert.deepEqual(ask(tx), [false, false]);
    throw new Error("refused afterwards");
  });
  asked([true, true]);
  mutate((tx) => void tx.delete("screening", id));
  asked([false, false]);
  mutate((tx) => {
    void tx.insert("screening", screening);
    assert.deepEqual(ask(tx), [true, false]);
    throw new Error("refused afterwards");
  });
  asked([false, false]);
  group.commit();
  store.close();
});
