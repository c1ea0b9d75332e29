// What `keelson dev` makes of files that come and go while it serves.
import assert from "node:assert/strict";
import { appendFileSync, cpSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { keelson, serve, tempFolder, type Serving } from "../command-scene.case.ts";

/** A new app that is served. */
async function serveNew(
  context: TestContext,
): Promise<{ readonly app: string; readonly server: Serving }> {
  const folder = tempFolder(context);
  assert.equal(keelson(folder, ["init", "ideas"]).status, 0);
  const server = await serve(folder, ["dev", "ideas"]);
  // The review is the last that a start tells.
  await server.wait(/check {2}/);
  return { app: join(folder, "ideas"), server };
}

test("a keelson folder that is taken away and put back is told, and watched from then on", async (context) => {
  const { app, server } = await serveNew(context);
  const source = join(app, "keelson");
  try {
    cpSync(source, join(app, "copy"), { recursive: true });
    rmSync(source, { recursive: true });
    await server.wait(/keelson\/app\.ts:1:1 {2}.*entry file is missing\.\n.*Put it back/);
    await server.wait(/last good version goes on being served/);
    mkdirSync(source);
    cpSync(join(app, "copy"), source, { recursive: true });
    await server.wait(/mended {2}the app is as it was/);
    appendFileSync(join(source, "board.ts"), "\nexport const one = 1;;\n+;");
    await server.wait(/keelson\/board\.ts:\d+/);
    cpSync(join(app, "copy", "board.ts"), join(source, "board.ts"));
    await server.wait(/mended/);

    renameSync(source, `${source}.x`);
    await server.wait(/entry file is missing/);
    renameSync(`${source}.x`, source);
    await server.wait(/mended/);
    appendFileSync(join(source, "board.ts"), "\n+;");
    await server.wait(/keelson\/board\.ts:\d+/);
  } finally {
    await server.stop();
  }
});

async function signUp(url: string, email: string): Promise<void> {
  const response = await fetch(`${url}/auth/sign-up`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ email, password: "seven small boats at dawn" }),
  });
  assert.equal(response.status, 202, await response.text());
}

test("a sheet that is saved counts at once; letters that can't be used are told when they are saved and when they are sent", async (context) => {
  const { app, server } = await serveNew(context);
  const page = async (): Promise<string> => {
    const headers = { accept: "text/html" };
    return (await fetch(`${server.url}/auth/sign-in`, { headers })).text();
  };
  const save = (file: string, text: string) => writeFileSync(join(app, "keelson", file), text);
  try {
    assert.doesNotMatch(await page(), /--radius: 77px/);
    save("auth.css", ":root { --radius: 77px; }");
    await server.wait(/reloaded {2}keelson\/auth\.css\n/);
    assert.match(await page(), /--radius: 77px/);
    save("auth.css", "</style>");
    await server.wait(/failure {2}keelson\/auth\.css is not used: "<\/" would end its element\n/);

    mkdirSync(join(app, "keelson", "mail"));
    save("mail/verify-email.txt", "broken {{nope}}");
    await server.wait(/failure {2}keelson\/mail\/verify-email\.txt is not used: \{\{nope\}\}/);
    // Another save: what is still wrong is news again.
    appendFileSync(join(app, "keelson", "board.ts"), "\nexport const one = 1;");
    await server.wait(/reloaded {2}3 tables/);
    await signUp(server.url, "bob@example.com");
    await server.wait(/failure {2}keelson\/mail\/verify-email\.txt is not used: \{\{nope\}\}/);
    save("mail/verify-emial.txt", "Subject: Ahoy\n\n{{link}}");
    await server.wait(/verify-emial\.txt is not used: .*Did you mean verify-email\?/);
    save("mail/verify-email.txt", "Subject: Ahoy\n\n{{link}}");
    await server.wait(/reloaded {2}keelson\/mail\/verify-email\.txt\n/);
    await signUp(server.url, "ada@example.com");
    const letter = await fetch(`${server.url}/_/mail/2`, {
      headers: { accept: "application/json" },
    });
    assert.match(await letter.text(), /"subject":"Ahoy"/);
    assert.equal(await server.stop(), 0);
  } finally {
    await server.stop();
  }
});

for (const [when, touch] of [
  [
    "with the next write",
    ({ url }: Serving, _app: string) => signUp(url, "ada@example.com").catch(() => undefined),
  ],
  [
    "when a file is saved",
    (_server: Serving, app: string) =>
      appendFileSync(join(app, "keelson", "board.ts"), "\nexport const one = 1;\n"),
  ],
] as const) {
  test(
    `data that is removed is told ${when}, and it begins anew`,
    { skip: process.platform === "win32" && "open files can't be removed there" },
    async (context) => {
      const { app, server } = await serveNew(context);
      try {
        await signUp(server.url, "ada@example.com");
        rmSync(join(app, ".keelson"), { recursive: true });
        // What another command leaves there in the meantime is gone on with.
        const issued = keelson(app, ["token", "--as=bob@example.com"]);
        assert.equal(issued.status, 0, issued.err);
        await touch(server, app);
        await server.wait(/data {2}ideas\/\.keelson was removed or replaced: starting again/);
        await server.wait(/user +1 row/);
        const me = await fetch(`${server.url}/api/tables/vote`, {
          headers: { authorization: `Bearer ${issued.out.trim()}` },
        });
        assert.equal(me.status, 200, "the keys are those that are there now");
        assert.equal(keelson(app, ["token", "--as=eve@example.com"]).status, 0);
        assert.match(keelson(app, ["export", "user"]).out, /bob@example[^]*eve@example/);
      } finally {
        assert.equal(await server.stop(), 0);
      }
    },
  );
}
