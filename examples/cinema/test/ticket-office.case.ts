// For tests: the example served for real, on data of its own that goes away with the test.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { startServer, type RunningServer } from "@keelson/server";
import { startStripeSimulator, type StripeSimulator } from "@keelson/simulators/stripe";
import { anonymous, openOperatorDesk, startWork } from "@keelson/server/operator";

const appDir = join(import.meta.dirname, "..");

type Value = { readonly [field: string]: string | number };

/** An answer over HTTP. */
export interface Answer {
  readonly status: number;
  readonly text: string;
}

interface Mail {
  readonly subject: string;
  readonly to: string;
  readonly text: string;
}

/** Somebody who is signed in. */
export interface Person {
  readonly token: string;
  readonly user: string;
}

/** The example while it is served. */
export interface TicketOffice {
  readonly url: string;
  signIn(name: string, role?: "customer" | "staff"): Promise<Person>;
  /** Sends a request. @param path of the API; a function's name stands for its address. */
  ask(who: Person | null, method: string, path: string, body?: unknown): Promise<Answer>;
  /** Adds a row as its operator. @returns its id. */
  plant(table: string, value: Value): Promise<string>;
  /** A screening tomorrow of a new film, in a hall of ten rows of ten, for 10 euros. */
  plantScreening(value?: Value): Promise<string>;
  /** Calls a function as its operator, as a job or a cron does. */
  run(name: string, args: Value): Promise<void>;
  /** All rows of a table, the platform's too. */
  rows(table: string): Promise<readonly { readonly [field: string]: unknown }[]>;
  /** Whether every invariant holds. */
  holds(): Promise<boolean>;
  /** Stripe, when it was asked for. */
  readonly stripe: StripeSimulator;
  /** Waits until a booking, payment or refund has this status. */
  becomes(table: string, id: string, status: string): Promise<void>;
  /** Subject and text of the newest letter to somebody, once one of these words came. */
  letter(to: string, words?: RegExp): Promise<string>;
  /** The link in the newest letter to somebody, once there is one. */
  letterLink(to: string): Promise<string>;
}

/** Serves the example. @param options.page builds the page too. @param options.till can take money. */
export async function openTicketOffice(
  context: { after(fn: () => Promise<void>): void },
  options: { readonly page?: boolean; readonly till?: boolean } = {},
): Promise<TicketOffice> {
  const folder = mkdtempSync(join(tmpdir(), "keelson-cinema-"));
  const dataDir = join(folder, "data");
  const server = await startServer({
    appDir,
    dataDir,
    port: 0,
    mode: "development",
    ...(options.page === true && { staticDir: builtPage(folder) }),
  });
  const stripe = options.till === true ? await openTill(server.url) : null;
  context.after(async () => {
    await stripe?.close();
    await server.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  });
  return new Office(server, dataDir, stripe);
}

/** Stripe's simulator, and the app's way to it. */
async function openTill(url: string): Promise<StripeSimulator> {
  const secret = "whsec_of_the_keel";
  const webhooks = [{ url: `${url}/hooks/stripe`, secret }];
  const stripe = await startStripeSimulator({ webhooks, webhookRetryMs: [50, 200, 1_000] });
  process.env["STRIPE_SECRET_KEY"] = stripe.secretKey;
  process.env["STRIPE_URL"] = stripe.url;
  process.env["STRIPE_WEBHOOK_SECRET"] = secret;
  process.env["KEELSON_URL"] = url;
  return stripe;
}

const asOperator = {
  caller: anonymous,
  authority: "system",
  asksAllow: false,
  idempotencyKey: null,
  cause: "test",
} as const;

class Office implements TicketOffice {
  readonly url: string;
  readonly #server: RunningServer;
  readonly #dataDir: string;
  readonly #stripe: StripeSimulator | null;
  #planted = 0;

  constructor(server: RunningServer, dataDir: string, stripe: StripeSimulator | null) {
    this.#stripe = stripe;
    this.url = server.url;
    this.#server = server;
    this.#dataDir = dataDir;
  }

  async signIn(name: string, role?: "customer" | "staff"): Promise<Person> {
    const body = { name, ...(role !== undefined && { role }) };
    const { status, text } = await this.ask(null, "POST", "/auth/development-token", body);
    if (status !== 200) throw new Error(text);
    return JSON.parse(text) as Person;
  }

  async ask(who: Person | null, method: string, path: string, body?: unknown): Promise<Answer> {
    const address = path.startsWith("/") ? path : `/api/fn/${path}`;
    const response = await fetch(`${this.url}${address}`, {
      method,
      headers: {
        ...(who !== null && { authorization: `Bearer ${who.token}` }),
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: response.status, text: await response.text() };
  }

  async plant(table: string, value: Value): Promise<string> {
    const { json } = await this.#desk().execute(
      { kind: "create", table, value },
      { ...asOperator, work: startWork() },
    );
    return (JSON.parse(json) as { readonly id: string }).id;
  }

  async run(name: string, args: Value): Promise<void> {
    const operation = { kind: "call", name, args } as const;
    await this.#desk().execute(operation, { ...asOperator, work: startWork() });
  }

  async rows(table: string): Promise<readonly { readonly [field: string]: unknown }[]> {
    const orderBy = [{ field: "id", descending: false }];
    const { store } = this.#server.current();
    const page = await store.read((tx) =>
      tx.list({ kind: "list", from: table, orderBy, limit: 1_000 }, null),
    );
    return page.rows;
  }

  async plantScreening(value: Value = {}): Promise<string> {
    const film = await this.plant("film", { title: `Film ${++this.#planted}` });
    const startsAt = new Date(Date.now() + 86_400_000 + this.#planted).toISOString();
    const house = { hall: "Hall", price: 10_00, rows: 10, seatsPerRow: 10 };
    return this.plant("screening", { film, startsAt, ...house, ...value });
  }

  async holds(): Promise<boolean> {
    return (await this.#desk().invariants()).every(({ holds }) => holds);
  }

  get stripe(): StripeSimulator {
    if (this.#stripe === null) throw new Error("this office was opened without a till");
    return this.#stripe;
  }

  async becomes(table: string, id: string, status: string): Promise<void> {
    let row: { readonly [field: string]: unknown } | undefined;
    for (let tries = 0; tries < 500; tries++) {
      row = (await this.rows(table)).find((one) => one["id"] === id);
      if (row?.["status"] === status) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`${table} ${id} is ${JSON.stringify(row)}`);
  }

  async letter(to: string, words = /^/): Promise<string> {
    for (let tries = 0; tries < 500; tries++) {
      const mail = (await this.#mails()).find((one) => one.to === to && words.test(one.subject));
      if (mail !== undefined) return `${mail.subject}\n${mail.text}`;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`no letter came to ${to}`);
  }

  async #mails(): Promise<readonly Mail[]> {
    const response = await fetch(`${this.url}/_/mail`, { headers: { accept: "application/json" } });
    return ((await response.json()) as { readonly mails: readonly Mail[] }).mails;
  }

  async letterLink(to: string): Promise<string> {
    for (let tries = 0; tries < 500; tries++) {
      const text = (await this.#mails()).find((mail) => mail.to === to)?.text ?? "";
      const [link] = /http:\/\/\S+/.exec(text) ?? [];
      if (link !== undefined) return link;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`no letter came to ${to}`);
  }

  #desk() {
    const { limits } = this.#server;
    return openOperatorDesk(this.#server.current(), { dataDir: this.#dataDir, limits });
  }
}

/** Builds the page into a folder of its own. */
function builtPage(folder: string): string {
  const out = join(folder, "page");
  const vite = dirname(createRequire(import.meta.url).resolve("vite/package.json"));
  const line = [join(vite, "bin", "vite.js"), "build", "--logLevel=warn", `--outDir=${out}`];
  const { status, stderr } = spawnSync(process.execPath, line, { cwd: appDir, encoding: "utf8" });
  if (status !== 0 || !existsSync(join(out, "index.html"))) throw new Error(stderr);
  return out;
}
