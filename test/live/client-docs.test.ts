// The examples of docs/reference/client.md and docs/live-queries.md are checked by tsc, as modules of a project that has the app below.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const root = join(import.meta.dirname, "..", "..");

const schema = `
import { define, table, t } from "keelson";
export const { query, mutation, rules, app } = define({
  film: table({ title: t.text(), rating: t.number().optional() }),
  screening: table({ film: t.ref("film") }),
});`;
const cinema = `
import { t, type Id } from "keelson";
import { mutation, query } from "./schema.ts";
export const seats = query({
  args: { screening: t.id("screening") },
  allow: "anyone",
  returns: t.list(t.object({ seat: t.text(), taken: t.bool() })),
  run: () => [],
});
export const book = mutation({
  args: { screening: t.id("screening"), seat: t.text() },
  allow: "anyone",
  returns: t.nothing(),
  run: () => undefined,
});`;
const app = `
import * as cinema from "./cinema.ts";
import { app } from "./schema.ts";
export default app({ functions: { cinema } });`;
const prelude = `
import { createClient } from "keelson/client";
import type app from "../keelson/app.ts";
const api = createClient<typeof app>("");
declare const screening: \`screening_\${string}\`;
declare const id: \`film_\${string}\`;
declare const session: { readonly token: string; refresh(): Promise<string> };
declare function show(text: string): void;
`;

test("every example of the pages about the client fits the types", (context) => {
  const pages = [join("reference", "client.md"), "live-queries.md"];
  const page = pages.map((name) => readFileSync(join(root, "docs", name), "utf8")).join("\n");
  const examples = Array.from(page.matchAll(/^```(tsx?)\n([^]*?)^```$/gm));
  assert.ok(examples.length >= 10);
  // Inside the workspace, so that packages are found as a user's project finds them.
  const folder = mkdtempSync(join(root, "node_modules", ".keelson-docs-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const part of ["keelson", "src"]) mkdirSync(join(folder, part));
  writeFileSync(join(folder, "keelson", "schema.ts"), schema);
  writeFileSync(join(folder, "keelson", "cinema.ts"), cinema);
  writeFileSync(join(folder, "keelson", "app.ts"), app);
  for (const [index, [, kind, text = ""]] of examples.entries()) {
    const isWhole = text.includes("export const api");
    writeFileSync(
      join(folder, "src", `example${index}.${kind}`),
      `${isWhole ? "" : prelude}${text}\nexport {};\n`,
    );
  }
  const compilerOptions = {
    target: "es2024",
    module: "nodenext",
    lib: ["es2024", "dom", "dom.iterable"],
    types: [],
    jsx: "react-jsx",
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    allowImportingTsExtensions: true,
    skipLibCheck: true,
    noEmit: true,
  };
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({ compilerOptions, include: ["src", "keelson"] }),
  );
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  try {
    execFileSync(process.execPath, [tsc, "-p", folder], { encoding: "utf8" });
  } catch (error) {
    assert.fail(String((error as { readonly stdout: unknown }).stdout));
  }
});
