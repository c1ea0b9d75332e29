// Which reads with the caller's rights count as a guard of a write outside the rules: those that somebody looks at.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { exampleFiles } from "../engineer/check/example-app.ts";
import { checkAppFolder } from "./check-desk.ts";

const folder = mkdtempSync(join(tmpdir(), "keelson-check-guard-"));
after(() => rmSync(folder, { recursive: true, force: true }));
let apps = 0;

/** Whether K106 is said of a function that does this before it changes `note` as the system. */
async function isOpen(before: string, helpers = ""): Promise<boolean> {
  apps += 1;
  const appDir = join(folder, String(apps));
  const { files } = exampleFiles(`
// keelson/notes.ts
import { Refusal, t } from "keelson";
import { mutation } from "./schema.ts";
${helpers}
export const rename = mutation({
  args: { note: t.id("note"), title: t.text({ max: 200 }) },
  allow: "signed-in",
  returns: t.nothing(),
  async run({ db }, { note, title }) {
    ${before}
    await db.asSystem("titles are free for all").note.update(note, { title });
  },
});
`);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(appDir, path)), { recursive: true });
    writeFileSync(join(appDir, path), text);
  }
  const { report } = await checkAppFolder({ appDir, dataDir: null, against: null });
  return report.findings.some(({ code }) => code === "K106");
}

for (const before of [
  "",
  "await db.note.get(note);",
  "const own = await db.note.get(note);",
  "const own = await db.note.get(note); console.log(own?.id);",
  "const own = await db.note.get(note); console.log(own, `it is ${own?.owner.id}`);",
]) {
  test(`no guard: ${before}`, async () => {
    assert.equal(await isOpen(before), true);
  });
}

for (const before of [
  `if ((await db.note.get(note)) === null) throw new Refusal("NO", "None.");`,
  `const own = await db.note.get(note); console.log(own?.id); if (!own) throw new Refusal("NO", "None.");`,
  `const own = await db.note.get(note); if (own?.owner === undefined) return;`,
  "const own = (await db.note.get(note))!; console.log(own.title);",
  "const { owner } = (await db.note.get(note))!; console.log(owner);",
  `const own = (await db.note.get(note)) ?? refuse(); console.log(own);`,
  "const own = await db.note.get(note); found(own);",
  "const own = await db.note.get(note); const is = own !== null; if (!is) return;",
  `await db.note.get(note).then((own) => { if (own === null) throw new Refusal("NO", "None."); });`,
  `const [own] = await Promise.all([db.note.get(note)]); if (own === null) return;`,
  "await find(db, note);",
  "await db.note.update(note, {});",
  `let own; own = await db.note.get(note); if (own === null) return;`,
]) {
  test(`a guard: ${before}`, async () => {
    const helpers = `function refuse(): never { throw new Refusal("NO", "None."); }
function found(row: object | null): void { if (row === null) refuse(); }
async function find(db: any, id: any) { const row = await db.note.get(id); return row ?? refuse(); }`;
    assert.equal(await isOpen(before, helpers), false);
  });
}
