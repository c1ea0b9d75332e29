// `keelson dev` with an app that uses Stripe, and no key: from checkout to paid, against the simulator that it starts;
// over a restart in between; and when the app names the service only in a later version.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { until } from "./hook-scene.ts";

const binary = fileURLToPath(new URL("../../packages/cli/bin/keelson.mjs", import.meta.url));
const ownApp = join(import.meta.dirname, "shop");

/** A folder that is there until the end: the simulators of a server write their files when it is closed. */
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "keelson-dev-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

/** Starts `keelson dev`. */
function startDev(context: TestContext, appDir: string, dataDir: string) {
  const ours = /^(?:STRIPE|PLAID)_/;
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
  const args = [binary, "dev", appDir, `--data=${dataDir}`, "--port=0"];
  const child = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  const ended = once(child, "exit");
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    await ended;
  };
  context.after(() => end("SIGTERM"));
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (piece: string) => (text += piece));
  }
  const says = (what: string) =>
    until(
      async () => text,
      (said) => said.includes(what),
    );
  const call = async <T>(name: string, args: object): Promise<T> => {
    const [url = ""] = /http:\/\/[\w.]+:\d+/.exec(text) ?? [];
    const response = await fetch(`${url}/api/fn/${name}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(args),
    });
    const answer = await response.text();
    assert.ok(response.ok, answer);
    return JSON.parse(answer) as T;
  };
  const stripe = () => /Stripe: simulated at (http:\/\/[\w.:]+)/.exec(text)?.[1] ?? "";
  return { says, call, stripe, end };
}

type Dev = ReturnType<typeof startDev>;

/** The page that stands for Stripe's own: a person chooses a card. */
async function payAt(stripe: string, session: string): Promise<void> {
  const paid = await fetch(`${stripe}/c/pay/${session}`, {
    method: "POST",
    redirect: "manual",
    body: new URLSearchParams({ do: "pay", card: "4242424242424242", email: "a@example.com" }),
  });
  assert.equal(paid.headers.get("location"), "http://localhost/done");
}

const becomesPaid = ({ call }: Dev, order: string) =>
  until(
    () => call<{ status: string }>("pay.read", { order }),
    ({ status }) => status === "paid",
  );

test("keelson dev simulates the services that the app has no keys for; a payment outlives a restart", async (context) => {
  const dataDir = join(newFolder(), "data");
  const first = startDev(context, ownApp, dataDir);
  await first.says("Plaid: simulated at");
  const order = await first.call<string>("pay.place", { name: "Ticket", price: 12_00 });
  const session = await first.call<string>("pay.checkout", { order });
  await payAt(first.stripe(), session);
  await becomesPaid(first, order);

  const later = await first.call<string>("pay.place", { name: "Later", price: 9_00 });
  const open = await first.call<string>("pay.checkout", { order: later });
  const page = first.stripe();
  await first.end("SIGKILL");
  const second = startDev(context, ownApp, dataDir);
  await second.says("Plaid: simulated at");
  // The page that the person had open.
  await payAt(page, open);
  await becomesPaid(second, later);
});

test("a service that a later version of the app names is simulated at once, its hooks too", async (context) => {
  const folder = newFolder();
  const appDir = join(folder, "app");
  cpSync(ownApp, appDir, { recursive: true });
  symlinkSync(join(import.meta.dirname, "..", "..", "node_modules"), join(appDir, "node_modules"));
  const file = join(appDir, "keelson", "app.ts");
  const whole = readFileSync(file, "utf8");
  // Without the module that takes money.
  writeFileSync(
    file,
    `import { app } from "./schema.ts";\nimport rules from "./rules.ts";\nexport default app({ rules, functions: {} });\n`,
  );
  const dev = startDev(context, appDir, join(folder, "data"));
  await dev.says("stop with Ctrl-C");
  assert.equal(dev.stripe(), "");
  writeFileSync(file, whole);
  await dev.says("Plaid: simulated at");
  const order = await dev.call<string>("pay.place", { name: "Ticket", price: 12_00 });
  const session = await dev.call<string>("pay.checkout", { order });
  await payAt(dev.stripe(), session);
  await becomesPaid(dev, order);
});
