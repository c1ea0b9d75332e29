// Small apps under attack: what is sound must pass, and what goes on after the answer must not be passed over.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { attackFolder } from "./shop-with-holes.case.ts";

const appText = `import rules from "./rules.ts";
import { app } from "./schema.ts";
`;

/** Attacks an app of these files. @returns the verdict, what was found and what was left open. */
async function attacked(files: Readonly<Record<string, string>>) {
  const appDir = mkdtempSync(join(tmpdir(), "keelson-small-"));
  try {
    mkdirSync(join(appDir, "keelson"));
    for (const [file, text] of Object.entries(files)) {
      writeFileSync(join(appDir, "keelson", file), text);
    }
    const { verdict, findings, inconclusive } = await attackFolder(appDir, 1);
    return {
      verdict,
      found: findings.map(({ code, subject, says }) => `${code} ${subject}: ${says}`),
      open: inconclusive.map(({ subject, says }) => `${subject}: ${says}`),
    };
  } finally {
    rmSync(appDir, { recursive: true, force: true });
  }
}

test("identity tells people their own id, also where no rule shows it", async () => {
  const report = await attacked({
    "schema.ts": `import { define, table, t } from "keelson";
export const { rules, app } = define({ news: table({ title: t.text({ max: 100 }) }) });
`,
    "rules.ts": `import { rules } from "./schema.ts";
export default rules({ news: { read: () => true, write: ({ me }) => me.role === "editor" } });
`,
    "app.ts": `${appText}export default app({ rules, functions: {} });\n`,
  });
  assert.deepEqual([report.verdict, report.found, report.open], ["clean", [], []]);
});
