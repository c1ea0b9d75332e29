// `keelson work` and `keelson workflow` written wrongly: told in words that help, with nothing done.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { keelson, tempFolder } from "../command-scene.case.ts";

const app = `
import { define } from "keelson";
export const { app } = define({});
export default app({});
`;
const run = "work_run_01h455vb4pex5vsknk084sn02q";

test("a word that a command does not know, and what is no JSON, are told", (context) => {
  const folder = tempFolder(context);
  mkdirSync(join(folder, "keelson"));
  writeFileSync(join(folder, "keelson", "app.ts"), app);
  mkdirSync(join(folder, ".keelson"));
  // A new database: commands that look at data make none.
  writeFileSync(join(folder, ".keelson", "data.db"), "");
  const said = (...args: readonly string[]): string => {
    const { status, out, err } = keelson(folder, args);
    assert.equal(status, 1, err);
    assert.equal(out, "");
    return err;
  };
  assert.match(said("work", "mend"), /WORD_UNKNOWN[^]*list, show, retry, cancel, replay/);
  assert.match(said("work", "constructor"), /WORD_UNKNOWN/);
  assert.match(said("workflow", "mend"), /WORD_UNKNOWN[^]*list, show, signal, cancel, retry/);
  assert.match(said("work", "retry", "work_job_1", "--input={to"), /FLAG_VALUE_INVALID[^]*\{to/);
  assert.match(said("workflow", "signal", run, "sent", "{parcel"), /JSON_INVALID[^]*\{parcel/);
  assert.match(said("workflow", "signal", run), /WORD_MISSING/);
  assert.match(said("work", "replay", "billing.invoices"), /FLAG_MISSING[^]*--from/);
});
