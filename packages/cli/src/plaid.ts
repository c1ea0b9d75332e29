// `keelson/plaid`: Plaid's official SDK inside an action, set up for it. The package "plaid" is the app's own
// dependency. What an action may reach and know is declared by spreading `plaidWorld` into its definition.
import {
  Configuration,
  PlaidApi,
  PlaidEnvironments,
  type RemovedTransaction,
  type Transaction,
} from "plaid";
import { secretOr, type ConnectorContext } from "./connector-context.ts";

/** For an action's definition: the hosts and secrets that it needs. `action({ ...plaidWorld, async run(ctx) {} })`. */
export const plaidWorld: {
  readonly hosts: readonly string[];
  readonly secrets: readonly string[];
} = Object.freeze({
  hosts: Object.freeze(["production.plaid.com", "sandbox.plaid.com", "$PLAID_URL"]),
  secrets: Object.freeze(["PLAID_CLIENT_ID", "PLAID_SECRET", "PLAID_URL"]),
});

/** What changed since a cursor. */
export interface PlaidChanges {
  readonly added: readonly Transaction[];
  readonly modified: readonly Transaction[];
  readonly removed: readonly RemovedTransaction[];
  /** For the next time: keep it in the same transaction as the changes. */
  readonly cursor: string;
}

const pageMax = 500;
const restartsMax = 5;
const mutated = "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION";

/** Plaid's SDK for this call. `PLAID_URL` names another address than production. @throws SECRET_MISSING. */
export function plaidOf(ctx: ConnectorContext): PlaidApi {
  const basePath = secretOr(ctx, "PLAID_URL", PlaidEnvironments["production"] ?? "");
  const headers = {
    "PLAID-CLIENT-ID": ctx.secret("PLAID_CLIENT_ID"),
    "PLAID-SECRET": ctx.secret("PLAID_SECRET"),
  };
  const baseOptions = { adapter: "fetch", headers };
  return new PlaidApi(new Configuration({ basePath, baseOptions }));
}

/**
 * All that changed since a cursor, page by page; begun again from it when the data changes in between, as Plaid asks.
 * @param cursor null: from the beginning.
 */
export async function syncTransactions(
  plaid: PlaidApi,
  accessToken: string,
  cursor: string | null,
): Promise<PlaidChanges> {
  for (let restarts = 0; ; restarts++) {
    try {
      return await allPages(plaid, accessToken, cursor ?? "");
    } catch (error) {
      if (restarts >= restartsMax || plaidCode(error) !== mutated) throw error;
    }
  }
}

/** Plaid's `error_code` of a refused request, or null. */
export function plaidCode(error: unknown): string | null {
  const { response } = error as { readonly response?: { readonly data?: unknown } };
  const code = (response?.data as { readonly error_code?: unknown } | undefined)?.error_code;
  return typeof code === "string" ? code : null;
}

async function allPages(plaid: PlaidApi, token: string, from: string): Promise<PlaidChanges> {
  const added: Transaction[] = [];
  const modified: Transaction[] = [];
  const removed: RemovedTransaction[] = [];
  let cursor = from;
  for (;;) {
    const { data } = await plaid.transactionsSync({
      access_token: token,
      count: pageMax,
      ...(cursor === "" ? {} : { cursor }),
    });
    added.push(...data.added);
    modified.push(...data.modified);
    removed.push(...data.removed);
    cursor = data.next_cursor;
    if (!data.has_more) return { added, modified, removed, cursor };
  }
}
