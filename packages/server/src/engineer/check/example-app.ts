// The app that the examples of the pages stand on, and how an example's text becomes files.

/** The app before an example changes it: notes that belong to people. */
export const exampleApp: Readonly<Record<string, string>> = Object.freeze({
  "keelson/schema.ts": `import { define, table, t } from "keelson";

export const { query, mutation, action, http, rules, app } = define({
  note: table({
    owner: t.ref("user", { onDelete: "cascade" }).immutable(),
    title: t.text({ max: 200 }),
    likes: t.int({ min: 0 }).default(0).immutable(),
  }),
});
`,
  "keelson/rules.ts": `import { rules } from "./schema.ts";

export default rules({
  note: {
    read: ({ row, me }) => row.owner === me.id,
    create: ({ next, me }) => next.owner === me.id,
    update: ({ row, me }) => row.owner === me.id,
    delete: ({ row, me }) => row.owner === me.id,
  },
});
`,
  "keelson/app.ts": `import * as notes from "./notes.ts";
import rules from "./rules.ts";
import { app } from "./schema.ts";

export default app({ rules, functions: { notes } });
`,
  "keelson/notes.ts": `import { t } from "keelson";
import { query } from "./schema.ts";

export const mine = query({
  args: {},
  allow: "signed-in",
  returns: t.list(t.text({ max: 200 }), { max: 100 }),
  async run({ db, me }) {
    const rows = await db.note.list({ where: { owner: me.id }, limit: 100 });
    return rows.map((row) => row.title);
  },
});
`,
});

/** An example as files: of the app, and of the app as it was shipped (null: not part of the example). */
export interface ExampleFiles {
  readonly files: Readonly<Record<string, string>>;
  readonly before: Readonly<Record<string, string>> | null;
  /** The line that is marked. */
  readonly mark: { readonly file: string; readonly line: number } | null;
}

/** Splits an example's text, and puts its files over the app's. */
export function exampleFiles(text: string): ExampleFiles {
  const parts = text.split(/^\/\/ (?=(?:before: )?(?:keelson|src)\/[\w./-]+$)/m).slice(1);
  const files: Record<string, string> = { ...exampleApp };
  let before: Record<string, string> | null = null;
  let mark: ExampleFiles["mark"] = null;
  for (const part of parts) {
    const [head = "", ...lines] = part.split("\n");
    const path = head.replace("before: ", "");
    const body = `${lines.join("\n").trim()}\n`;
    if (head.startsWith("before: ")) before = { ...(before ?? exampleApp), [path]: body };
    else {
      files[path] = body;
      const line = body.split("\n").findIndex((each) => /\/\/ <- \w+$/.test(each));
      if (line !== -1) mark = { file: path, line: line + 1 };
    }
  }
  return { files, before, mark };
}
