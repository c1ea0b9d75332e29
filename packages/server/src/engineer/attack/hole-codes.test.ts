import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { holeKinds } from "./hole-codes.ts";

const page = new URL("../../../../../docs/reference/attack.md", import.meta.url);

test("docs/reference/attack.md has every code, as the table says (KEELSON_WRITE_DOCS=1 writes it)", () => {
  const rows = Object.entries(holeKinds).map(
    ([code, { title, fix }]) => `| ${code} | ${title} | ${fix.replaceAll("|", "\\|")} |`,
  );
  const text = readFileSync(page, "utf8");
  const table = /(\| code \| what was shown \| fix \|\n\| --- \| --- \| --- \|\n)[^]*?\n\n/;
  const wanted = text.replace(table, (_, head: string) => `${head}${rows.join("\n")}\n\n`);
  if (process.env["KEELSON_WRITE_DOCS"] === "1") writeFileSync(page, wanted);
  assert.equal(readFileSync(page, "utf8"), wanted);
});
