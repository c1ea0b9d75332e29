import assert from "node:assert/strict";
import { test } from "node:test";
import { Stripe } from "stripe";
import { begin, keelson, tempFolder } from "../command-scene.case.ts";

test("a simulator is served until it is stopped, and says what an app is to be told", async (context) => {
  const folder = tempFolder(context);
  const stripe = begin(folder, ["simulate", "stripe", "--webhook=http://127.0.0.1:1/hooks/stripe"]);
  const [, url = ""] = await stripe.wait(/STRIPE_URL=(\S+)/);
  const [, key = ""] = await stripe.wait(/STRIPE_SECRET_KEY=(\S+)/);
  await stripe.wait(/STRIPE_WEBHOOK_SECRET=whsec_\w+/);
  const { hostname, port } = new URL(url);
  const sdk = new Stripe(key, { host: hostname, port, protocol: "http" });
  assert.match((await sdk.customers.create({ email: "a@example.com" })).id, /^cus_/);
  for (const service of ["stripe", "plaid"]) {
    const taken = keelson(folder, ["simulate", service, `--port=${port}`]);
    assert.equal(taken.status, 6, taken.err);
    assert.match(taken.err, /LISTEN_FAILED[\s\S]*choose another with --port/);
  }
  assert.equal(await stripe.stop(), 0);

  const plaid = begin(folder, ["simulate", "plaid"]);
  await plaid.wait(/PLAID_URL=http/);
  await plaid.wait(/PLAID_SECRET=\S+/);
  assert.equal(await plaid.stop(), 0);

  for (const webhook of ["nonsense", "ftp://localhost/hooks", "http://"]) {
    const wrong = keelson(folder, ["simulate", "stripe", `--webhook=${webhook}`]);
    assert.equal(wrong.status, 1, wrong.err);
    assert.match(wrong.err, /FLAG_VALUE_INVALID {2}--webhook can't be/);
  }

  const other = keelson(folder, ["simulate", "paypal"]);
  assert.equal(other.status, 1);
  assert.match(other.err, /WORD_UNKNOWN/);
});
