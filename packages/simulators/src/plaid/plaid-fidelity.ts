// How true each call of the simulated Plaid is: what it takes, what it takes and makes nothing of, and what the real
// one does beyond that. docs/reference/simulators.md is made of it, and simulator-fidelity.test.ts holds it against the calls.
import type { CallFidelity } from "../http/simulated-call.ts";

/** By call, in the order of the page. */
export const plaidFidelity: readonly CallFidelity[] = [
  {
    name: "POST /link/token/create",
    takes: ["client_name", "user", "user[client_user_id]"],
    ignores: [],
    less: "looks at the caller's name and user only; there is no Link page: the sandbox's call makes public tokens",
  },
  {
    name: "POST /sandbox/public_token/create",
    takes: ["initial_products", "institution_id", "options", "options[webhook]"],
    ignores: [],
    less: "two accounts and three transactions, made up, of any institution; other options are left alone",
  },
  {
    name: "POST /item/public_token/exchange",
    takes: ["public_token"],
    ignores: [],
    less: "the first transactions are there at once",
  },
  {
    name: "POST /item/get",
    takes: ["access_token"],
    ignores: [],
    less: "no status of the last updates",
  },
  { name: "POST /item/remove", takes: ["access_token"], ignores: [], less: "" },
  {
    name: "POST /item/webhook/update",
    takes: ["access_token", "webhook"],
    ignores: [],
    less: "no webhook about it",
  },
  {
    name: "POST /accounts/get",
    takes: ["access_token"],
    ignores: [],
    less: "all accounts of the item",
  },
  {
    name: "POST /accounts/balance/get",
    takes: ["access_token"],
    ignores: [],
    less: "the same balances: nobody asks the bank anew",
  },
  {
    name: "POST /transactions/sync",
    takes: ["access_token", "count", "cursor"],
    ignores: [],
    less: "fields that nothing is known of are null; no categories",
  },
  {
    name: "POST /transactions/refresh",
    takes: ["access_token"],
    ignores: [],
    less: "nothing new comes by it: a test adds transactions",
  },
  {
    name: "POST /webhook_verification_key/get",
    takes: ["key_id"],
    ignores: [],
    less: "one key, for ever",
  },
  {
    name: "POST /sandbox/item/fire_webhook",
    takes: ["access_token", "webhook_code"],
    ignores: [],
    less: "any code; sent at once",
  },
  { name: "POST /sandbox/item/reset_login", takes: ["access_token"], ignores: [], less: "" },
];
