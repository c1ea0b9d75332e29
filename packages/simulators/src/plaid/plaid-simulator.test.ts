import assert from "node:assert/strict";
import { createHash, createPublicKey, verify, type webcrypto } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { Agent, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Configuration, PlaidApi, Products, CountryCode, type Transaction } from "plaid";
import { startPlaidSimulator } from "./plaid-simulator.ts";

const startMs = Date.UTC(2026, 0, 31, 12);

async function open(secret = "secret_simulator") {
  const simulator = await startPlaidSimulator({ nowMs: () => startMs, webhookRetryMs: [5] });
  after(() => simulator.close());
  const headers = { "PLAID-CLIENT-ID": simulator.clientId, "PLAID-SECRET": secret };
  const plaid = new PlaidApi(
    new Configuration({ basePath: simulator.url, baseOptions: { headers } }),
  );
  return { simulator, plaid };
}

async function receiver() {
  const got: { readonly token: string; readonly body: string }[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      got.push({ token: String(request.headers["plaid-verification"]), body });
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, got };
}

async function linked(plaid: PlaidApi, webhook?: string) {
  const { data } = await plaid.sandboxPublicTokenCreate({
    institution_id: "ins_109508",
    initial_products: [Products.Transactions],
    ...(webhook === undefined ? {} : { options: { webhook } }),
  });
  const exchanged = await plaid.itemPublicTokenExchange({ public_token: data.public_token });
  return { ...exchanged.data, publicToken: data.public_token };
}

async function codeOf(run: Promise<unknown>): Promise<string> {
  try {
    await run;
  } catch (error) {
    const { response } = error as {
      readonly response?: { readonly data?: { readonly error_code?: string } };
    };
    return response?.data?.error_code ?? String(error);
  }
  return "taken";
}

/** All changes after a cursor, as an app would fetch them. */
async function everything(plaid: PlaidApi, token: string, from = "") {
  const added: Transaction[] = [];
  const modified: Transaction[] = [];
  const removed: string[] = [];
  let cursor = from;
  for (;;) {
    const { data } = await plaid.transactionsSync({ access_token: token, cursor, count: 2 });
    added.push(...data.added);
    modified.push(...data.modified);
    removed.push(...data.removed.map(({ transaction_id }) => transaction_id));
    cursor = data.next_cursor;
    if (!data.has_more) return { added, modified, removed, cursor };
  }
}

test("the official SDK links, reads accounts and walks transactions by cursor", async () => {
  const { simulator, plaid } = await open();
  const link = await plaid.linkTokenCreate({
    client_name: "Cinema",
    language: "en",
    country_codes: [CountryCode.Us],
    user: { client_user_id: "user_1" },
    products: [Products.Transactions],
  });
  assert.match(link.data.link_token, /^link-sandbox-/);
  const { access_token: token, item_id: item, publicToken } = await linked(plaid);
  assert.equal(
    await codeOf(plaid.itemPublicTokenExchange({ public_token: publicToken })),
    "INVALID_PUBLIC_TOKEN",
  );
  const { data } = await plaid.accountsGet({ access_token: token });
  assert.deepEqual(
    data.accounts.map(({ type, balances }) => [type, balances.current]),
    [
      ["depository", 110],
      ["credit", 410],
    ],
  );
  const first = await everything(plaid, token);
  assert.deepEqual(
    first.added.map(({ name }) => name),
    ["Groceries", "Rent", "Cinema"],
  );
  const pending = simulator.addTransaction(item, { name: "Popcorn", amount: 7, pending: true });
  simulator.changeTransaction(item, pending, { pending: false });
  simulator.removeTransaction(item, first.added[0]?.transaction_id ?? "");
  const next = await everything(plaid, token, first.cursor);
  assert.deepEqual(
    next.added.map(({ name }) => name),
    ["Popcorn"],
  );
  assert.deepEqual(
    next.modified.map(({ transaction_id }) => transaction_id),
    [pending],
  );
  assert.deepEqual(next.removed, [first.added[0]?.transaction_id]);
  const none = await everything(plaid, token, next.cursor);
  assert.deepEqual(
    [none.added, none.modified, none.removed, none.cursor],
    [[], [], [], next.cursor],
  );
});

test("errors carry Plaid's codes", async () => {
  const { simulator, plaid } = await open();
  const { access_token: token, item_id: item } = await linked(plaid);
  assert.equal(
    await codeOf(plaid.accountsGet({ access_token: "access-none" })),
    "INVALID_ACCESS_TOKEN",
  );
  assert.equal(
    await codeOf(plaid.transactionsSync({ access_token: token, count: 501 })),
    "INVALID_FIELD",
  );
  assert.equal(
    await codeOf(plaid.transactionsSync({ access_token: token, cursor: "x" })),
    "INVALID_FIELD",
  );
  await plaid.sandboxItemResetLogin({ access_token: token });
  assert.equal(await codeOf(plaid.accountsGet({ access_token: token })), "ITEM_LOGIN_REQUIRED");
  simulator.repairLogin(item);
  assert.equal(await codeOf(plaid.accountsGet({ access_token: token })), "taken");
  simulator.failApi({ kind: "rateLimit" });
  assert.equal(await codeOf(plaid.accountsGet({ access_token: token })), "TRANSACTIONS_LIMIT");
  await plaid.itemRemove({ access_token: token });
  assert.equal(await codeOf(plaid.accountsGet({ access_token: token })), "INVALID_ACCESS_TOKEN");
  const stranger = await open("another");
  assert.equal(await codeOf(stranger.plaid.itemGet({ access_token: token })), "INVALID_API_KEYS");
});

test("a sync that changes under the reader is to be begun again", async () => {
  const { simulator, plaid } = await open();
  const { access_token: token } = await linked(plaid);
  simulator.mutateDuringPagination();
  assert.equal(
    await codeOf(everything(plaid, token)),
    "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION",
  );
  assert.equal((await everything(plaid, token)).added.length, 3);
});

test("webhooks are signed over their body with a key that the API gives out", async () => {
  const hook = await receiver();
  const { simulator, plaid } = await open();
  const { item_id: item } = await linked(plaid, hook.url);
  simulator.addTransaction(item, { name: "Ticket" });
  await simulator.settled();
  assert.equal(hook.got.length, 2);
  for (const { token, body } of hook.got) {
    const [header = "", claims = "", signature = ""] = token.split(".");
    const { kid, alg } = decoded(header);
    assert.equal(alg, "ES256");
    const { data } = await plaid.webhookVerificationKeyGet({ key_id: String(kid) });
    const key = createPublicKey({
      key: data.key as unknown as webcrypto.JsonWebKey,
      format: "jwk",
    });
    const isGood = verify(
      "sha256",
      Buffer.from(`${header}.${claims}`),
      { key, dsaEncoding: "ieee-p1363" },
      Buffer.from(signature, "base64url"),
    );
    assert.ok(isGood);
    const hash = createHash("sha256").update(body).digest("hex");
    assert.deepEqual(decoded(claims), { iat: startMs / 1_000, request_body_sha256: hash });
    assert.equal((JSON.parse(body) as { item_id: string }).item_id, item);
  }
  assert.equal(
    await codeOf(plaid.webhookVerificationKeyGet({ key_id: "other" })),
    "INVALID_WEBHOOK_VERIFICATION_KEY_ID",
  );
});

function decoded(part: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(part, "base64url").toString()) as Record<string, unknown>;
}

test("a simulator that is started on the file of another goes on with its items, cursors and key", async () => {
  const folder = mkdtempSync(join(tmpdir(), "keelson-plaid-"));
  // Not before the simulator is closed, which writes its file once more.
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "plaid.json");
  const start = async () => {
    const simulator = await startPlaidSimulator({ file });
    const headers = { "PLAID-CLIENT-ID": simulator.clientId, "PLAID-SECRET": simulator.secret };
    // The second listens where the first did: no connection of that is used again.
    const baseOptions = { headers, httpAgent: new Agent({ keepAlive: false }) };
    const plaid = new PlaidApi(new Configuration({ basePath: simulator.url, baseOptions }));
    return { simulator, plaid };
  };
  const first = await start();
  const { access_token: token, item_id: item } = await linked(first.plaid);
  const { cursor } = await everything(first.plaid, token);
  const id = first.simulator.addTransaction(item, { name: "Popcorn" });
  const key = (await first.plaid.webhookVerificationKeyGet({ key_id: "sim-key-1" })).data.key;
  await first.simulator.close();

  const { simulator, plaid } = await start();
  after(() => simulator.close());
  assert.equal(simulator.url, first.simulator.url);
  const { added } = await everything(plaid, token, cursor);
  assert.deepEqual(
    added.map(({ transaction_id }) => transaction_id),
    [id],
  );
  const now = (await plaid.webhookVerificationKeyGet({ key_id: "sim-key-1" })).data.key;
  assert.deepEqual([now.x, now.y], [key.x, key.y]);
  assert.notEqual(simulator.addTransaction(item, { name: "Soda" }), id);
});
