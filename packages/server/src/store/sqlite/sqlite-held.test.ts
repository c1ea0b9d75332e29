// Rows that the writer keeps from group to group are what the file holds, whatever happened in between.
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import fc from "fast-check";
import { limits } from "../../base/limits.ts";
import { tableModel } from "../store.fixture.ts";
import type { CommitGroup, Row } from "../store.ts";
import { openSqliteStore } from "./sqlite-store.ts";
import { tempFile } from "./temp-file.case.ts";

const tables = { note: tableModel("note", { text: { kind: "text", min: 0, max: 200 } }) };
const ids = ["note_01h455vb4pex5vsknk084sn02q", "note_01h455vb4pex5vsknk084sn02r"] as const;
const meta = { by: null, cause: "test", requestId: "r", atMs: 1, idempotency: null };

/** Writes a text; fails afterwards when told to. */
function write(group: CommitGroup, id: string, text: string, isFailing = false): void {
  void group.mutate(meta, (tx) => {
    void tx.update("note", id, { text });
    if (isFailing) throw new Error("refused afterwards");
    return "null";
  });
}

function read(group: CommitGroup, id: string): string {
  let found: Row | null = null;
  void group.mutate(meta, (tx) => {
    found = tx.get("note", id, null) as Row | null;
    return "null";
  });
  return (found as unknown as { readonly text: string }).text;
}

test("kept rows are those of the file after commits, failures, dropped groups and other writers", () => {
  const path = tempFile();
  const store = openSqliteStore({ path, manifest: { tables }, limits });
  const other = new DatabaseSync(path);
  const set = other.prepare(`UPDATE note SET text = ? WHERE id = ?`);
  const first = store.openGroup();
  void first.mutate(meta, (tx) => {
    for (const id of ids) void tx.insert("note", { id, text: "start" });
    return "null";
  });
  first.commit();
  const expected = new Map<string, string>(ids.map((id) => [id, "start"]));
  const step = fc.record({
    kind: fc.constantFrom("commit", "abort", "fail", "other", "read"),
    id: fc.constantFrom(...ids),
    text: fc.string({ maxLength: 9 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      for (const { kind, id, text } of steps) {
        if (kind === "other") {
          set.run(text, id);
          expected.set(id, text);
          continue;
        }
        const group = store.openGroup();
        for (const each of ids) assert.equal(read(group, each), expected.get(each));
        if (kind !== "read") write(group, id, text, kind === "fail");
        if (kind === "fail") assert.equal(read(group, id), expected.get(id));
        if (kind === "abort") group.abort();
        else group.commit();
        if (kind === "commit") expected.set(id, text);
      }
    }),
    { numRuns: 60 },
  );
  other.close();
  store.close();
});
