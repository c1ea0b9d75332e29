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
  for (const [, text = ""] of page.matchAll(/^```(?:tsx?|js|html|css|text)\n([^]*?)^```$/gm)) {
    const name = /^(?:\/\/ |\/\* |<!-- )?((?:keelson|src|web)\/[\w.\/\-]+)/v.exec(text)?.[1];
    if (name === undefined) assert.match(text, /beSomebody/, "code without a name is an edit");
    else files.set(name, name.endsWith(".txt") ? text.slice(text.indexOf("\n") + 1) : text);
  }
  return files;
}

/** Does with a file of the app what the page says. @param edit what is there by what is to be there. */
function editFile(file: string, edit: ReadonlyMap<string | RegExp, string>): void {
  let text = readFileSync(file, "utf8");
  for (const [from, to] of edit) {
    const next = text.replace(from, to);
    assert.notEqual(next, text, String(from));
    text = next;
  }
  writeFileSync(file, text);
}

test("the tutorial's files fit the types, and the app that they make is what it says", async (context) => {
  // Inside the workspace, so that packages are found as a user's project finds them.
  const folder = mkdtempSync(join(root, "node_modules", ".keelson-docs-"));
  context.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  cpSync(join(root, "packages", "cli", "template"), folder, { recursive: true });
  const files = filesOfPage();
  assert.ok(files.size >= 9, [...files.keys()].join());
  const [main = ""] = /<main>[^]*<\/main>/.exec(files.get("web/index.html") ?? "") ?? [];
  editFile(join(folder, "web", "index.html"), new Map([[/<main>[^]*<\/main>/, main]]));
  const edits = ['import { beSomebody } from "./begin.js";\n', "    await beSomebody();\n"];
  for (const edit of edits) assert.ok(page.includes(edit), edit);
  editFile(
    join(folder, "web", "page.js"),
    new Map<string | RegExp, string>([
      [/^import/m, `${edits[0]}import`],
      ["    await api.board.add", `${edits[1]}    await api.board.add`],
    ]),
  );
  for (const [name, text] of files) {
    if (name === "web/index.html") continue;
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  // As `npm run check` of the app has it, and for the one file that is a frontend's of React.
  const compilerOptions = { jsx: "react-jsx", exactOptionalPropertyTypes: true };
  const include = ["keelson", "src", "web"];
  writeFileSync(
    join(folder, "tsconfig.docs.json"),
    JSON.stringify({ extends: "./tsconfig.json", compilerOptions, include }),
  );
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  try {
    execFileSync(process.execPath, [tsc, "-p", join(folder, "tsconfig.docs.json")], {
      encoding: "utf8",
    });
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
