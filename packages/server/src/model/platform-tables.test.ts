import assert from "node:assert/strict";
import { test } from "node:test";
import { platformTables as declared } from "@keelson/sdk/guest";
import { nameableTables, platformTables } from "./platform-tables.ts";

test("the tables that apps may name are the same for their types, for rules and for the store", () => {
  assert.deepEqual(Object.keys(nameableTables), Object.keys(declared));
  for (const [name, { fields }] of Object.entries(declared)) {
    const { id, ...open } = nameableTables[name]?.fields ?? {};
    assert.deepEqual(id, { kind: "id", table: name, immutable: true });
    assert.deepEqual(plain(fields), plain(open), name);
  }
});

test("none of them shows a secret, and tables of secrets are not among them", () => {
  const secret = /hash|digest|secret|epoch|refresh|^info$|publicKey|credential/iu;
  for (const [name, { fields }] of Object.entries(nameableTables)) {
    assert.deepEqual(
      Object.keys(fields).filter((field) => secret.test(field)),
      [],
      name,
    );
  }
  for (const name of ["authTicket", "authTotp", "authRecovery", "authPasskey", "authIdentity"]) {
    assert.ok(Object.hasOwn(platformTables, name));
    assert.ok(!Object.hasOwn(nameableTables, name));
  }
});

function plain(fields: object): unknown {
  return JSON.parse(JSON.stringify(fields));
}
