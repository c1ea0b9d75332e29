// The code of the pages about work, webhooks and payments: every example fits the types, as files of a project; and
// the apps of the pages about webhooks and payments do what the pages say, against the simulators.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { startServer, type RunningServer } from "@keelson/server";
import { startPlaidSimulator } from "@keelson/simulators/plaid";
import { startStripeSimulator } from "@keelson/simulators/stripe";
import { byStripe, post, until } from "./hook-scene.ts";

const root = join(import.meta.dirname, "..", "..");

interface Page {
  readonly name: string;
  /** Files that the page speaks of and does not show. */
  readonly files: Readonly<Record<string, string>>;
  /** Before a piece that is no file. */
  readonly prelude?: string;
}

const appOf = (...modules: readonly string[]): string => `
${modules.map((name) => `import * as ${name} from "./${name}.ts";`).join("\n")}
import { app } from "./schema.ts";
export default app({ functions: { ${modules.join(", ")} } });
`;

const pages: readonly Page[] = [
  {
    name: "webhooks.md",
    files: {
      "app.ts": appOf("payments", "partners", "desk"),
      "desk.ts": `
import { t } from "keelson";
import { mutation } from "./schema.ts";
export const hold = mutation({
  allow: "anyone",
  returns: t.id("booking"),
  async run({ db }) {
    const all = db.asSystem("test");
    const { id } = await all.user.create({ name: "Ada" });
    return (await all.booking.create({ customer: id, status: "held" })).id;
  },
});
export const look = mutation({
  args: { booking: t.id("booking") },
  allow: "anyone",
  returns: t.text({ max: 10 }),
  run: async ({ db }, { booking }) => (await db.asSystem("test").booking.get(booking))?.status ?? "",
});`,
    },
  },
  {
    name: "payments.md",
    files: {
      "app.ts": appOf("partner", "pay", "bank", "books"),
      "schema.ts": `
import { define, table, t } from "keelson";
export const { query, mutation, action, app } = define({
  order: table({ status: t.oneOf("open", "paid") }),
  bank: table({ token: t.text({ max: 200 }), cursor: t.text({ max: 400 }).optional() }),
  entry: table({ number: t.text({ max: 60 }), amount: t.number() }),
});`,
      "books.ts": `
import { t } from "keelson";
import { mutation, query } from "./schema.ts";
const bank = t.id("bank");
export const read = query({
  args: { bank },
  returns: t.object({ token: t.text({ max: 200 }), cursor: t.text({ max: 400 }).optional() }),
  async run({ db }, { bank }) {
    const { token = "", cursor = null } = (await db.asSystem("test").bank.get(bank)) ?? {};
    return { token, cursor };
  },
});
export const keep = mutation({
  args: {
    bank,
    cursor: t.text({ max: 400 }),
    set: t.list(t.object({ number: t.text({ max: 60 }), amount: t.number() }), { max: 2_000 }),
    gone: t.list(t.text({ max: 60 }), { max: 2_000 }),
  },
  async run({ db }, { bank, cursor, set }) {
    const all = db.asSystem("test");
    for (const entry of set) await all.entry.create(entry);
    await all.bank.update(bank, { cursor });
  },
});
export const place = mutation({
  allow: "anyone",
  returns: t.id("order"),
  run: async ({ db }) => (await db.asSystem("test").order.create({ status: "open" })).id,
});
export const add = mutation({
  args: { token: t.text({ max: 200 }) },
  returns: t.id("bank"),
  run: async ({ db }, { token }) => (await db.asSystem("test").bank.create({ token })).id,
});
export const entries = query({
  allow: "anyone",
  returns: t.int(),
  run: ({ db }) => db.asSystem("test").entry.count(),
});`,
    },
  },
  {
    name: "events-and-queues.md",
    files: { "app.ts": appOf("bookings") },
    prelude: `
import { mutation, cron } from "./schema.ts";
const report = mutation({ run: () => undefined });
const poll = mutation({ run: () => undefined });
`,
  },
  {
    name: "workflows.md",
    files: { "app.ts": appOf("delivery") },
    prelude: `
import { createClient } from "keelson/client";
import type app from "./app.ts";
const api = createClient<typeof app>("");
declare const run: string;
declare function render(found: unknown): void;
`,
  },
];

/** Writes a page's code to a folder, as a project. @returns how many pieces there are. */
function writePage(folder: string, { name, files, prelude = "" }: Page): number {
  const all = new Map(Object.entries(files).map(([file, text]) => [`keelson/${file}`, text]));
  const text = readFileSync(join(root, "docs", name), "utf8");
  const pieces = [...text.matchAll(/^```ts\n([^]*?)^```$/gm)];
  for (const [index, [, piece = ""]] of pieces.entries()) {
    const [, file] = /^\/\/ (keelson\/\S+)\n/.exec(piece) ?? [];
    if (file === undefined) all.set(`keelson/piece${index}.ts`, `${prelude}${piece}\nexport {};\n`);
    else all.set(file, piece);
  }
  for (const [file, text] of all) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  return pieces.length;
}

/** Inside the workspace, so that packages are found as a user's project finds them. */
function projectFolder(context: TestContext): string {
  const folder = mkdtempSync(join(root, "node_modules", ".keelson-docs-"));
  context.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  return folder;
}

/** An app of a page, served. */
async function servePage(context: TestContext, name: string): Promise<RunningServer> {
  const folder = projectFolder(context);
  const page = pages.find((page) => page.name === name) ?? assert.fail(name);
  writePage(folder, page);
  const server = await startServer({ appDir: folder, dataDir: join(folder, "data"), port: 0 });
  context.after(() => server.close());
  return server;
}

async function call<T>(server: RunningServer, name: string, args: object = {}): Promise<T> {
  const user = "user_01h455vb4pex5vsknk084sn02q";
  const token = await server.signToken({ user, role: null, ttlMs: 3_600_000 });
  const response = await fetch(`${server.url}/api/fn/${name}`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify(args),
  });
  const text = await response.text();
  assert.ok(response.ok, text);
  return (text === "" ? null : JSON.parse(text)) as T;
}

test("every example of the pages fits the types", (context) => {
  const folder = projectFolder(context);
  for (const page of pages) {
    const pieces = writePage(join(folder, page.name.replace(".md", "")), page);
    assert.ok(pieces >= 3, page.name);
  }
  const compilerOptions = {
    ...{ target: "es2024", module: "nodenext", lib: ["es2024", "dom", "dom.iterable"] },
    ...{
      types: [],
      strict: true,
      noUncheckedIndexedAccess: true,
      exactOptionalPropertyTypes: true,
    },
    ...{ allowImportingTsExtensions: true, skipLibCheck: true, noEmit: true },
  };
  const include = ["*/keelson"];
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include }));
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  try {
    execFileSync(process.execPath, [tsc, "-p", folder], { encoding: "utf8" });
  } catch (error) {
    assert.fail(String((error as { readonly stdout: unknown }).stdout));
  }
});

test("docs/webhooks.md: a signed event of Stripe's pays a booking, and an endpoint is added", async (context) => {
  const secret = "whsec_of_the_page";
  process.env["STRIPE_WEBHOOK_SECRET"] = secret;
  const server = await servePage(context, "webhooks.md");
  const booking = await call<string>(server, "desk.hold");
  const type = "checkout.session.completed";
  const of = (reference: string | null) => ({
    data: { object: { client_reference_id: reference } },
  });
  const others = byStripe({ id: "evt_1", type, ...of(null) }, { secret });
  assert.equal((await post(server.url, "stripe", others)).status, 200);
  const own = byStripe({ id: "evt_2", type, ...of(booking) }, { secret });
  assert.equal((await post(server.url, "stripe", own)).status, 200);
  await until(
    () => call<string>(server, "desk.look", { booking }),
    (status) => status === "paid",
  );
  const url = "https://partner.example.com/hook";
  const added = await call<{ secret: string }>(server, "partners.addEndpoint", { url });
  assert.match(added.secret, /^whsec_/);
});

test("docs/payments.md: a checkout at Stripe, and transactions of Plaid", async (context) => {
  const stripe = await startStripeSimulator({ webhooks: [] });
  context.after(() => stripe.close());
  const plaid = await startPlaidSimulator();
  context.after(() => plaid.close());
  Object.assign(process.env, {
    STRIPE_SECRET_KEY: stripe.secretKey,
    STRIPE_URL: stripe.url,
    KEELSON_URL: "http://localhost",
    PLAID_CLIENT_ID: plaid.clientId,
    PLAID_SECRET: plaid.secret,
    PLAID_URL: plaid.url,
  });
  const server = await servePage(context, "payments.md");
  const order = await call<string>(server, "books.place");
  const url = await call<string>(server, "pay.checkout", { order });
  const session = url.split("/").at(-1) ?? "";
  assert.equal(
    stripe.pay(session, "4242424242424242", "ada@example.com"),
    "http://localhost/thanks",
  );
  const ask = async (path: string, body: object): Promise<Record<string, string>> => {
    const headers = { "content-type": "application/json" };
    const keys = { client_id: plaid.clientId, secret: plaid.secret };
    const init = { method: "POST", headers, body: JSON.stringify({ ...keys, ...body }) };
    return (await (await fetch(`${plaid.url}${path}`, init)).json()) as Record<string, string>;
  };
  const { public_token } = await ask("/sandbox/public_token/create", {
    institution_id: "ins_109508",
    initial_products: ["transactions"],
  });
  await call(server, "bank.link", { publicToken: public_token });
  await until(
    () => call<number>(server, "books.entries"),
    (count) => count > 0,
  );
});
