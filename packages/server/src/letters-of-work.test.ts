// Letters that jobs and workflows send, on a whole server of one thread and of a writer with two doors: each goes out
// once, one that the mail server does not take is tried again, and one that it never takes is a dead letter.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { SMTPServer } from "smtp-server";
import { startServer } from "./main.ts";

const files: Readonly<Record<string, string>> = {
  "schema.ts": `
import { define, table, t } from "keelson";
export const { query, mutation, action, queue, workflow, app } = define({
  sent: table({ to: t.text({ max: 100 }), token: t.text({ max: 100 }) }).index("to"),
});`,
  "post.ts": `
import { t } from "keelson";
import { action, mutation, query, queue, workflow } from "./schema.ts";
const to = t.text({ max: 100 });
export const note = mutation({
  args: { to, token: t.text({ max: 100 }) },
  run: async ({ db }, row) => void (await db.asSystem("test").sent.create(row)),
});
export const write = action({
  args: { to },
  async run({ mail, run, job }, { to }) {
    await mail.send({ to, template: "hello", data: { token: job?.token ?? "" } });
    await run(note, { to, token: job?.token ?? "" });
  },
});
export const letters = queue(write, { attempts: 3, backoff: "20ms", concurrency: 8 });
export const twice = workflow({
  args: { to },
  run: async ({ step }, { to }) => {
    await step(write, { to: "first." + to });
    await step(write, { to: "second." + to });
  },
});
export const send = mutation({
  args: { to: t.list(to, { max: 200 }) },
  allow: "anyone",
  async run({ enqueue }, { to }) {
    for (const one of to) await enqueue(letters, { to: one });
  },
});
export const begin = mutation({
  args: { to },
  allow: "anyone",
  returns: t.text({ max: 60 }),
  run: ({ startWorkflow }, args) => startWorkflow(twice, args),
});
export const sent = query({
  allow: "anyone",
  returns: t.list(t.text({ max: 100 }), { max: 1_000 }),
  run: async ({ db }) => (await db.asSystem("test").sent.list({ limit: 1_000 })).map(({ to }) => to),
});`,
  "app.ts": `
import { app } from "./schema.ts";
import * as post from "./post.ts";
export default app({ functions: { post } });`,
  "mail/hello.txt": "Subject: Hello\n\nThis is {{token}} for {{to}}.\n",
};

/** A post office: refuses each address with \`later\` in it once, and those with \`never\` always. */
async function openPost(context: TestContext) {
  const taken: { readonly to: string; readonly token: string }[] = [];
  const refused = new Map<string, number>();
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    onRcptTo: ({ address }, _session, done) => {
      const before = refused.get(address) ?? 0;
      if (address.includes("never") || (address.includes("later") && before === 0)) {
        refused.set(address, before + 1);
        done(Object.assign(new Error("come again"), { responseCode: 451 }));
      } else done();
    },
    onData: (stream, session, done) => {
      let text = "";
      stream.on("data", (piece: Buffer) => (text += piece.toString("utf8")));
      stream.on("end", () => {
        const [, token = ""] = /This is (\w+) for/.exec(text.replaceAll("=\r\n", "")) ?? [];
        for (const { address } of session.envelope.rcptTo) taken.push({ to: address, token });
        done();
      });
    },
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => server.close());
  const { port } = server.server.address() as AddressInfo;
  process.env["KEELSON_SMTP_URL"] = `smtp://127.0.0.1:${port}`;
  process.env["KEELSON_MAIL_FROM"] = "House <house@example.com>";
  context.after(() => {
    delete process.env["KEELSON_SMTP_URL"];
    delete process.env["KEELSON_MAIL_FROM"];
  });
  return { taken, refused };
}

async function until(isSo: () => Promise<boolean>, what: () => unknown): Promise<void> {
  const endMs = Date.now() + 30_000;
  while (!(await isSo())) {
    assert.ok(Date.now() < endMs, `not in time: ${JSON.stringify(what())}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

for (const threads of [0, 2]) {
  const where = threads === 0 ? "one thread" : "a writer and two doors";
  test(`${where}: every job's and workflow's letter goes out once, also when the mail server is not ready`, async (context) => {
    const post = await openPost(context);
    const folder = mkdtempSync(join(tmpdir(), "keelson-letters-of-work-"));
    const appDir = join(folder, "app");
    mkdirSync(join(appDir, "keelson", "mail"), { recursive: true });
    for (const [name, text] of Object.entries(files))
      writeFileSync(join(appDir, "keelson", name), text);
    const root = join(import.meta.dirname, "..", "..", "..");
    symlinkSync(join(root, "node_modules"), join(appDir, "node_modules"));
    const dataDir = join(folder, "data");
    const server = await startServer({
      ...{ appDir, dataDir, port: 0, threads, mode: "production" },
      // Letters that are refused are what this is about.
      report: () => {},
    });
    context.after(async () => {
      await server.close();
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    });
    const call = async (name: string, args: object): Promise<unknown> => {
      const response = await fetch(`${server.url}/api/fn/post.${name}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(args),
      });
      const text = await response.text();
      assert.equal(response.status, 200, text);
      return text === "" ? null : JSON.parse(text);
    };
    const wanted = Array.from({ length: 40 }, (_, index) => {
      return index % 8 === 0 ? `later${index}@example.com` : `now${index}@example.com`;
    });
    await call("send", { to: [...wanted, "never@example.com"] });
    await call("begin", { to: "flow@example.com" });
    const all = [...wanted, "first.flow@example.com", "second.flow@example.com"].toSorted();
    await until(
      async () => ((await call("sent", {})) as readonly string[]).length >= all.length,
      () => post.taken.length,
    );
    assert.deepEqual(post.taken.map(({ to }) => to).toSorted(), all, "each once");
    assert.deepEqual(((await call("sent", {})) as readonly string[]).toSorted(), all);
    const tokens = new Set(post.taken.map(({ token }) => token));
    assert.equal(tokens.size, all.length, "each with a token of its own");
    const { store } = server.current();
    const orderBy = [{ field: "id", descending: false }];
    const dead = async () =>
      (
        await store.read((tx) =>
          tx.list({ kind: "list", from: "workDead", orderBy, limit: 10 }, null),
        )
      ).rows;
    await until(
      async () => (await dead()).length > 0,
      () => [...post.refused],
    );
    assert.equal((await dead()).length, 1);
    assert.match(JSON.stringify(await dead()), /MAIL_FAILED/);
    assert.equal(post.refused.get("never@example.com"), 3);
  });
}
