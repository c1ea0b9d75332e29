// The calls of Plaid that the simulator has (https://plaid.com/docs/api): link, items, accounts, transactions, and
// those of its sandbox.
import { badField, PlaidError } from "./plaid-error.ts";
import type { PlaidItem } from "./plaid-item.ts";
import type { PlaidState } from "./plaid-state.ts";

/** A request's body. */
export type PlaidBody = Readonly<Record<string, unknown>>;

/** What a call works with. */
export interface PlaidCall {
  readonly state: PlaidState;
  readonly body: PlaidBody;
  /** Sends a webhook to whoever the item names. */
  notify(item: PlaidItem, fields: Readonly<Record<string, unknown>>): void;
}

type Route = (call: PlaidCall) => Readonly<Record<string, unknown>>;

const linkMs = 4 * 3_600_000;
const countMax = 500;

function textOf(body: PlaidBody, name: string): string {
  const value = body[name];
  if (typeof value === "string" && value !== "") return value;
  throw badField(name);
}

function itemOf({ state, body }: PlaidCall): PlaidItem {
  return state.item(textOf(body, "access_token"));
}

/** @throws PlaidError when the person has to sign in at the bank again. */
function readyItem(call: PlaidCall): PlaidItem {
  const item = itemOf(call);
  if (!item.needsLogin) return item;
  throw new PlaidError(
    "ITEM_ERROR",
    "ITEM_LOGIN_REQUIRED",
    "the login details of this item have changed and a user login is required to update this information",
  );
}

function accountsOf(item: PlaidItem): readonly object[] {
  return item.accounts.map(({ balance, ...account }) => ({
    ...account,
    official_name: account.name,
    balances: {
      available: account.type === "credit" ? null : balance,
      current: balance,
      iso_currency_code: "USD",
      limit: account.type === "credit" ? 2_000 : null,
      unofficial_currency_code: null,
    },
  }));
}

function itemFields(item: PlaidItem): object {
  return {
    item_id: item.id,
    institution_id: item.institution,
    webhook: item.webhook,
    error: item.needsLogin
      ? { error_type: "ITEM_ERROR", error_code: "ITEM_LOGIN_REQUIRED", error_message: "login" }
      : null,
    available_products: [],
    billed_products: item.products,
    products: item.products,
    consent_expiration_time: null,
    update_type: "background",
  };
}

function sync(call: PlaidCall): Readonly<Record<string, unknown>> {
  const item = readyItem(call);
  const { body } = call;
  const { cursor = "", count = 100 } = body;
  if (typeof cursor !== "string") throw badField("cursor", "must be a string");
  if (typeof count !== "number" || !Number.isInteger(count) || count < 1 || count > countMax) {
    throw badField("count", `must be an integer from 1 to ${countMax}`);
  }
  const from = item.placeOf(cursor);
  if (from === null) throw badField("cursor", "not associated with access_token");
  const { added, modified, removed, next, hasMore } = item.changes(from, count);
  return {
    accounts: accountsOf(item),
    added: added.map(shown),
    modified: modified.map(shown),
    removed,
    next_cursor: next,
    has_more: hasMore,
    transactions_update_status: "HISTORICAL_UPDATE_COMPLETE",
  };
}

/** A transaction with the fields that every one has. */
function shown(transaction: object): object {
  return {
    account_owner: null,
    authorized_date: null,
    authorized_datetime: null,
    category: null,
    category_id: null,
    check_number: null,
    counterparties: [],
    datetime: null,
    location: {},
    logo_url: null,
    payment_channel: "other",
    payment_meta: {},
    personal_finance_category: null,
    transaction_code: null,
    transaction_type: "unresolved",
    unofficial_currency_code: null,
    website: null,
    ...transaction,
  };
}

/** Tells that there is something to fetch. */
export function updatesAvailable(): Readonly<Record<string, unknown>> {
  return {
    webhook_type: "TRANSACTIONS",
    webhook_code: "SYNC_UPDATES_AVAILABLE",
    initial_update_complete: true,
    historical_update_complete: true,
  };
}

/** The calls by their address. */
export const plaidRoutes: Readonly<Record<string, Route>> = {
  "/link/token/create": ({ state, body }) => {
    textOf(body, "client_name");
    const user = body["user"] as PlaidBody | undefined;
    if (user === undefined) throw badField("user");
    textOf(user, "client_user_id");
    return {
      link_token: state.id("link"),
      expiration: new Date(state.nowMs() + linkMs).toISOString(),
    };
  },
  "/sandbox/public_token/create": ({ state, body }) => {
    const options = (body["options"] ?? {}) as PlaidBody;
    const products = body["initial_products"];
    if (!Array.isArray(products) || products.length === 0) throw badField("initial_products");
    return {
      public_token: state.makeItem({
        institution: textOf(body, "institution_id"),
        products: products as readonly string[],
        webhook: typeof options["webhook"] === "string" ? options["webhook"] : null,
      }),
    };
  },
  "/item/public_token/exchange": ({ state, body, notify }) => {
    const { token, item } = state.exchange(textOf(body, "public_token"));
    notify(item, updatesAvailable());
    return { access_token: token, item_id: item.id };
  },
  "/item/get": (call) => ({ item: itemFields(itemOf(call)), status: null }),
  "/item/remove": ({ state, body }) => {
    state.removeItem(textOf(body, "access_token"));
    return {};
  },
  "/item/webhook/update": (call) => {
    const item = itemOf(call);
    item.webhook = textOf(call.body, "webhook");
    return { item: itemFields(item) };
  },
  "/accounts/get": (call) => {
    const item = readyItem(call);
    return { accounts: accountsOf(item), item: itemFields(item) };
  },
  "/accounts/balance/get": (call) => {
    const item = readyItem(call);
    return { accounts: accountsOf(item), item: itemFields(item) };
  },
  "/transactions/sync": sync,
  "/transactions/refresh": (call) => {
    call.notify(readyItem(call), updatesAvailable());
    return {};
  },
  "/webhook_verification_key/get": ({ state, body }) => {
    if (textOf(body, "key_id") === state.keyId) return { key: state.jwk };
    throw new PlaidError(
      "INVALID_INPUT",
      "INVALID_WEBHOOK_VERIFICATION_KEY_ID",
      "invalid key_id provided",
    );
  },
  "/sandbox/item/fire_webhook": (call) => {
    const item = itemOf(call);
    const code = textOf(call.body, "webhook_code");
    const type = code === "SYNC_UPDATES_AVAILABLE" ? "TRANSACTIONS" : "ITEM";
    const fields =
      code === "SYNC_UPDATES_AVAILABLE"
        ? updatesAvailable()
        : { webhook_type: type, webhook_code: code, error: null };
    call.notify(item, fields);
    return { webhook_fired: true };
  },
  "/sandbox/item/reset_login": (call) => {
    const item = itemOf(call);
    item.needsLogin = true;
    call.notify(item, {
      webhook_type: "ITEM",
      webhook_code: "ERROR",
      error: { error_type: "ITEM_ERROR", error_code: "ITEM_LOGIN_REQUIRED" },
    });
    return { reset_login: true };
  },
};
