// docs/tutorial/sign-in.md, followed: its files in the app of the first tutorial fit the types, and the server does what
// the page says.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { openClub } from "./people-scene.ts";

const root = join(import.meta.dirname, "..", "..");
const page = readFileSync(join(root, "docs", "tutorial", "sign-in.md"), "utf8");

/** The page's files: code whose first line is a comment with their name, and text whose first line is it. */
function filesOfPage(): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const [, text = ""] of page.matchAll(/^```(?:tsx?|css|text)\n([^]*?)^```$/gm)) {
    const [, name = ""] = /^(?:\/\/ |\/\* )?((?:keelson|src)\/\S+)(?: \*\/)?\n/.exec(text) ?? [];
    assert.notEqual(name, "", text);
    files.set(name, name.endsWith(".txt") ? text.slice(text.indexOf("\n") + 1) : text);
  }
  return files;
}

test("the tutorial's files fit the types, and the app that they make is what it says", async (context) => {
  // Inside the workspace, so that packages are found as a user's project finds them.
  const folder = mkdtempSync(join(root, "node_modules", ".keelson-docs-"));
  context.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  cpSync(join(root, "packages", "cli", "template", "keelson"), join(folder, "keelson"), {
    recursive: true,
  });
  const files = filesOfPage();
  assert.ok(files.size >= 7, [...files.keys()].join());
  for (const [name, text] of files) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const compilerOptions = {
    ...{ target: "es2024", module: "nodenext", lib: ["es2024", "dom", "dom.iterable"] },
    ...{ types: [], jsx: "react-jsx", strict: true, exactOptionalPropertyTypes: true },
    ...{ allowImportingTsExtensions: true, skipLibCheck: true, noEmit: true },
  };
  const include = ["src", "keelson"];
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include }));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  try {
    execFileSync(process.execPath, [tsc, "-p", folder], { encoding: "utf8" });
  } catch (error) {
    assert.fail(String((error as { readonly stdout: unknown }).stdout));
  }

  const club = await openClub(context, { appDir: folder });
  const ask = (path: string, body?: unknown) =>
    fetch(`${club.server.url}${path}`, {
      headers: { "content-type": "application/json", accept: "text/html" },
      ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
    });
  const signUp = await (await ask("/auth/sign-up")).text();
  assert.match(signUp, /<title>Sign up - Ideas<\/title>/);
  assert.match(signUp, /--accent: light-dark\(#7a1f5c, #f0a3d4\)/);
  assert.equal((await ask("/auth/guest", {})).status, 200);
  await ask("/auth/sign-up", { email: "ada@example.com", password: "seven small boats at dawn" });
  const mail = await club.mail("ada@example.com", "verify-email");
  assert.equal(mail.subject, "Welcome to Ideas");
  assert.match(mail.text, /Confirm that ada@example\.com is yours, and your ideas are safe:/);
  const pages = [...page.matchAll(/`(\/auth\/[a-z\-]+)`/gv)].map(([, path = ""]) => path);
  assert.ok(pages.length >= 10);
  for (const path of pages) {
    const { status } = await ask(path);
    const isOff = path === "/auth/orgs" || path === "/auth/keys";
    assert.equal(status, isOff ? 404 : 200, path);
  }
});
