// An item: one login at one bank, with its accounts and the log of what happened to their transactions. A cursor is a
// place in that log, so that every change is told once and none is missed.

/** An amount as Plaid tells it: positive when money leaves the account. */
export interface PlaidTransaction {
  readonly transaction_id: string;
  readonly account_id: string;
  readonly amount: number;
  readonly date: string;
  readonly name: string;
  readonly merchant_name: string | null;
  readonly iso_currency_code: string;
  readonly pending: boolean;
  readonly pending_transaction_id: string | null;
}

/** An account of an item. */
export interface PlaidAccount {
  readonly account_id: string;
  readonly name: string;
  readonly mask: string;
  readonly type: "depository" | "credit";
  readonly subtype: string;
  balance: number;
}

type Entry =
  | { readonly kind: "added" | "modified"; readonly transaction: PlaidTransaction }
  | { readonly kind: "removed"; readonly id: string; readonly account: string };

/** An item as JSON. */
export interface PlaidItemSnapshot {
  readonly id: string;
  readonly institution: string;
  readonly products: readonly string[];
  readonly accounts: readonly PlaidAccount[];
  readonly webhook: string | null;
  readonly needsLogin: boolean;
  readonly log: readonly Entry[];
}

/** What changed since a cursor. */
export interface SyncPage {
  readonly added: readonly PlaidTransaction[];
  readonly modified: readonly PlaidTransaction[];
  readonly removed: readonly { readonly transaction_id: string; readonly account_id: string }[];
  readonly next: string;
  readonly hasMore: boolean;
}

/** One item. */
export class PlaidItem {
  readonly id: string;
  readonly institution: string;
  readonly products: readonly string[];
  readonly accounts: readonly PlaidAccount[];
  webhook: string | null;
  /** The person has to sign in at the bank again. */
  needsLogin = false;
  readonly #log: Entry[] = [];
  readonly #transactions = new Map<string, PlaidTransaction>();

  constructor(fields: {
    readonly id: string;
    readonly institution: string;
    readonly products: readonly string[];
    readonly accounts: readonly PlaidAccount[];
    readonly webhook: string | null;
  }) {
    this.id = fields.id;
    this.institution = fields.institution;
    this.products = fields.products;
    this.accounts = fields.accounts;
    this.webhook = fields.webhook;
  }

  /** All of it, as JSON. */
  snapshot(): PlaidItemSnapshot {
    const { id, institution, products, accounts, webhook, needsLogin } = this;
    const fields = { id, institution, products, accounts, webhook };
    return { ...fields, needsLogin, log: this.#log };
  }

  /** The item of a snapshot. */
  static restored({ log, needsLogin, ...fields }: PlaidItemSnapshot): PlaidItem {
    const item = new PlaidItem(fields);
    item.needsLogin = needsLogin;
    for (const entry of log) {
      item.#log.push(entry);
      if (entry.kind === "removed") item.#transactions.delete(entry.id);
      else item.#transactions.set(entry.transaction.transaction_id, entry.transaction);
    }
    return item;
  }

  add(transaction: PlaidTransaction): void {
    this.#transactions.set(transaction.transaction_id, transaction);
    this.#log.push({ kind: "added", transaction });
  }

  /** @returns false when there is none. */
  modify(id: string, change: Partial<PlaidTransaction>): boolean {
    const before = this.#transactions.get(id);
    if (before === undefined) return false;
    const transaction = { ...before, ...change, transaction_id: id };
    this.#transactions.set(id, transaction);
    this.#log.push({ kind: "modified", transaction });
    return true;
  }

  /** @returns false when there is none. */
  remove(id: string): boolean {
    const before = this.#transactions.get(id);
    if (before === undefined) return false;
    this.#transactions.delete(id);
    this.#log.push({ kind: "removed", id, account: before.account_id });
    return true;
  }

  /** A cursor's place, or null when it is none of this item. */
  placeOf(cursor: string): number | null {
    if (cursor === "") return 0;
    const [id, place] = Buffer.from(cursor, "base64url").toString().split("#");
    const at = Number(place);
    return id === this.id && Number.isInteger(at) && at >= 0 && at <= this.#log.length ? at : null;
  }

  /** The changes after a place, at most `count`. */
  changes(from: number, count: number): SyncPage {
    const entries = this.#log.slice(from, from + count);
    const to = from + entries.length;
    const of = (kind: "added" | "modified") =>
      entries.flatMap((entry) => (entry.kind === kind ? [entry.transaction] : []));
    return {
      added: of("added"),
      modified: of("modified"),
      removed: entries.flatMap((entry) =>
        entry.kind === "removed" ? [{ transaction_id: entry.id, account_id: entry.account }] : [],
      ),
      next: to === 0 ? "" : Buffer.from(`${this.id}#${to}`).toString("base64url"),
      hasMore: to < this.#log.length,
    };
  }
}
