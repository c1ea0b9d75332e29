// `keelson dev` with an app that uses Stripe, and no key: from checkout to paid, against the simulator that it starts.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { until } from "./hook-scene.ts";

const binary = fileURLToPath(new URL("../../packages/cli/bin/keelson.mjs", import.meta.url));
const appDir = join(import.meta.dirname, "shop");

test("keelson dev simulates the services that the app has no keys for", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "keelson-dev-"));
  const ours = /^(?:STRIPE|PLAID)_/;
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
  const args = [binary, "dev", appDir, `--data=${join(folder, "data")}`, "--port=0"];
  const child = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  const ended = once(child, "exit");
  context.after(async () => {
    child.kill("SIGTERM");
    await ended;
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (piece: string) => (text += piece));
  }
  await until(
    async () => text,
    (said) => said.includes("Plaid: simulated at"),
  );
  const [url = ""] = /http:\/\/[\w.]+:\d+/.exec(text) ?? [];
  const [, stripe = ""] = /Stripe: simulated at (http:\/\/[\w.:]+)/.exec(text) ?? [];
  const call = async <T>(name: string, args: object): Promise<T> => {
    const response = await fetch(`${url}/api/fn/${name}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(args),
    });
    const answer = await response.text();
    assert.ok(response.ok, answer);
    return JSON.parse(answer) as T;
  };
  const order = await call<string>("pay.place", { name: "Ticket", price: 12_00 });
  const session = await call<string>("pay.checkout", { order });
  // The page that stands for Stripe's own: a person chooses a card.
  const paid = await fetch(`${stripe}/c/pay/${session}`, {
    method: "POST",
    redirect: "manual",
    body: new URLSearchParams({ do: "pay", card: "4242424242424242", email: "a@example.com" }),
  });
  assert.equal(paid.headers.get("location"), "http://localhost/done");
  await until(
    () => call<{ status: string }>("pay.read", { order }),
    ({ status }) => status === "paid",
  );
});
