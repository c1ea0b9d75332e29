// The configuration of docs/guides/deploy.md, as it stands there: systemd reads its service, nginx runs its site in
// front of a server that is started with the flags of the service.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request, type RequestOptions } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { WebSocket } from "ws";
import { createClient } from "keelson/client";
import { spawnServer } from "../server/real-server.ts";
import type app from "./app/keelson/app.ts";
import { missingNginx, startNginx } from "./nginx.ts";

const page = readFileSync(
  join(import.meta.dirname, "..", "..", "docs", "guides", "deploy.md"),
  "utf8",
);

function blockOf(kind: string): string {
  const block = new RegExp(`\`\`\`${kind}\n([^]*?)\n\`\`\``).exec(page)?.[1];
  assert.ok(block !== undefined, `the page has no ${kind}`);
  return block;
}

function tempFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "keelson-deploy-"));
  context.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

test("systemd reads the service, and finds nothing amiss", (context) => {
  if (spawnSync("systemd-analyze", ["--version"]).status !== 0) {
    context.skip("systemd is not installed");
    return;
  }
  const file = join(tempFolder(context), "shop.service");
  // What it can't know of this machine: the command, the user and the website.
  const service = blockOf("ini systemd")
    .replace("/srv/shop/node_modules/.bin/keelson", process.execPath)
    .replace("User=shop", "User=root");
  const verify = (text: string) => {
    writeFileSync(file, text);
    const { stdout, stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", file], {
      encoding: "utf8",
    });
    return `${stdout}${stderr}`.split("\n").filter((line) => line.includes("shop.service"));
  };
  assert.deepEqual(verify(service), []);
  const wrong = verify(service.replace("LimitNOFILE=", "LimitNOFILES="));
  assert.match(wrong.join("\n"), /LimitNOFILES/);
});

test("nginx as it is configured: calls, live queries, addresses that nobody can forge, cookies for https", async (context) => {
  const missing = missingNginx();
  if (missing !== null) {
    context.skip(missing);
    return;
  }
  const folder = tempFolder(context);
  const flags = /keelson start (.*)/.exec(blockOf("ini systemd"))?.[1]?.split(" ") ?? [];
  const kept = flags.filter((flag) => !/^--(data|public-url)=/.test(flag));
  assert.ok(kept.includes("--trust-proxy"));
  const start = { appDir: join(import.meta.dirname, "app"), dataDir: join(folder, "data") };
  const web = kept.map((flag) => flag.replace("=web", `=${join(start.appDir, "web")}`));
  let server = spawnServer({ ...start, flags: web });
  context.after(() => server.end("SIGKILL"));
  const upstream = Number(new URL(await server.url).port);
  const nginx = await startNginx(folder, blockOf("nginx config"), upstream);
  context.after(() => nginx.close());
  const ask = askerOf(nginx.port, nginx.certificate);

  const website = await ask({ path: "/" });
  assert.equal(website.status, 200);
  assert.match(website.text, /<title>shop/);
  assert.equal((await ask({ path: "/readyz" })).status, 200);
  assert.equal((await ask({ path: "/metrics" })).status, 404);

  const add = { method: "POST", path: "/api/fn/notes.add", body: `{"text":"x"}` };
  for (let count = 0; count < 3; count++) assert.equal((await ask(add)).status, 200);
  const forged = { "x-forwarded-for": "203.0.113.9", "x-real-ip": "203.0.113.9" };
  const refused = await ask({ ...add, headers: forged });
  assert.equal(refused.status, 429, "a caller said where they come from, and was believed");
  assert.match(refused.text, /RATE_LIMITED/);
  assert.equal((await ask({ ...add, localAddress: "127.0.0.2" })).status, 200);

  const large = await ask({ ...add, body: JSON.stringify({ text: "x".repeat(2_000_000) }) });
  assert.equal(large.status, 413);
  assert.match(large.text, /BODY_TOO_LARGE/);

  const guest = await ask({ method: "POST", path: "/auth/guest", body: "{}" });
  assert.match(String(guest.cookie), /^__Host-keelson_session=.*; *Secure/i);

  class PageSocket extends WebSocket {
    constructor(url: string, protocol: string) {
      super(url, protocol, { ca: nginx.certificate });
    }
  }
  const client = createClient<typeof app>(`https://localhost:${nginx.port}`, {
    transport: "live",
    webSocket: PageSocket,
  });
  context.after(() => client.close());
  const seen: number[] = [];
  client.note.count().live((count) => seen.push(count));
  await until(() => seen.includes(4));

  // A new version: the server ends, nginx says so, and the page goes on by itself.
  assert.equal(await server.end("SIGTERM"), 0);
  assert.equal((await ask({ path: "/readyz" })).status, 502);
  const written = client.note.create({ text: "while it was away" });
  server = spawnServer({ ...start, port: upstream, flags: web });
  await server.url;
  await written;
  await until(() => seen.includes(5));
});

async function until(isSo: () => boolean): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!isSo()) {
    assert.ok(Date.now() < deadline, "it never came");
    await wait(20);
  }
}

interface Asked {
  readonly method?: string;
  readonly path: string;
  readonly body?: string;
  readonly headers?: Record<string, string>;
  readonly localAddress?: string;
}

interface Answered {
  readonly status: number;
  readonly text: string;
  readonly cookie: string | undefined;
}

/** Sends requests over https, each on a connection of its own. */
function askerOf(port: number, ca: string): (asked: Asked) => Promise<Answered> {
  return ({ method = "GET", path, body, headers = {}, localAddress }) =>
    new Promise((resolve, reject) => {
      const options: RequestOptions = {
        host: "127.0.0.1",
        servername: "localhost",
        port,
        method,
        path,
        ca,
        agent: false,
        headers: {
          host: `localhost:${port}`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
        },
        ...(localAddress === undefined ? {} : { localAddress }),
      };
      const sent = request(options, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (piece: string) => (text += piece));
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            text,
            cookie: response.headers["set-cookie"]?.[0],
          }),
        );
      });
      sent.on("error", reject);
      sent.end(body);
    });
}
