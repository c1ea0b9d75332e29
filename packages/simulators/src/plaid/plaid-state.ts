// What a simulated Plaid holds: items by their access token, tokens that were not exchanged yet, and the key that
// signs webhooks.
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  type KeyObject,
} from "node:crypto";
import { PlaidError } from "./plaid-error.ts";
import {
  PlaidItem,
  type PlaidAccount,
  type PlaidItemSnapshot,
  type PlaidTransaction,
} from "./plaid-item.ts";

const publicTokenMs = 30 * 60_000;

/** A state as JSON. */
export interface PlaidSnapshot {
  /** Signs webhooks. */
  readonly key: string;
  readonly items: readonly { readonly token: string; readonly item: PlaidItemSnapshot }[];
  readonly publicTokens: readonly {
    readonly token: string;
    readonly item: PlaidItemSnapshot;
    readonly untilMs: number;
  }[];
  readonly made: number;
}

/** One simulated Plaid. */
export class PlaidState {
  readonly #nowMs: () => number;
  readonly #items = new Map<string, PlaidItem>();
  readonly #publicTokens = new Map<
    string,
    { readonly item: PlaidItem; readonly untilMs: number }
  >();
  readonly #privateKey: KeyObject;
  readonly keyId = "sim-key-1";
  /** The public key as a JWK. */
  readonly jwk: object;
  #made = 0;

  /** @param kept of an earlier process, as `snapshot` gave it. */
  constructor(nowMs: () => number, kept: PlaidSnapshot | null = null) {
    this.#nowMs = nowMs;
    this.#privateKey =
      kept === null
        ? generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey
        : createPrivateKey(kept.key);
    for (const { token, item } of kept?.items ?? [])
      this.#items.set(token, PlaidItem.restored(item));
    for (const { token, item, untilMs } of kept?.publicTokens ?? [])
      this.#publicTokens.set(token, { item: PlaidItem.restored(item), untilMs });
    this.#made = kept?.made ?? 0;
    this.jwk = {
      ...createPublicKey(this.#privateKey).export({ format: "jwk" }),
      alg: "ES256",
      kid: this.keyId,
      use: "sig",
      created_at: Math.floor(nowMs() / 1_000),
      expired_at: null,
    };
  }

  /** All of it. */
  snapshot(): PlaidSnapshot {
    return {
      key: this.#privateKey.export({ type: "pkcs8", format: "pem" }),
      items: [...this.#items].map(([token, item]) => ({ token, item: item.snapshot() })),
      publicTokens: [...this.#publicTokens].map(([token, { item, untilMs }]) => ({
        token,
        item: item.snapshot(),
        untilMs,
      })),
      made: this.#made,
    };
  }

  nowMs(): number {
    return this.#nowMs();
  }

  id(prefix: string): string {
    this.#made += 1;
    return `${prefix}-sandbox-sim${String(this.#made).padStart(8, "0")}`;
  }

  today(): string {
    return new Date(this.#nowMs()).toISOString().slice(0, 10);
  }

  /** A new login at a bank. @returns its public token. */
  makeItem(fields: {
    readonly institution: string;
    readonly products: readonly string[];
    readonly webhook: string | null;
  }): string {
    const account = (
      name: string,
      type: PlaidAccount["type"],
      subtype: string,
      balance: number,
    ) => ({
      account_id: this.id("account"),
      name,
      mask: String(1_000 + this.#made).slice(-4),
      type,
      subtype,
      balance,
    });
    const accounts = [
      account("Plaid Checking", "depository", "checking", 110),
      account("Plaid Credit Card", "credit", "credit card", 410),
    ];
    const item = new PlaidItem({ id: this.id("item"), accounts, ...fields });
    const [checking, card] = accounts;
    for (const [index, name] of ["Groceries", "Rent", "Cinema"].entries()) {
      const to = index === 2 ? card : checking;
      item.add(this.transaction(to?.account_id ?? "", { name, amount: 12.5 * (index + 1) }));
    }
    const token = this.id("public");
    this.#publicTokens.set(token, { item, untilMs: this.#nowMs() + publicTokenMs });
    return token;
  }

  transaction(account: string, fields: Partial<PlaidTransaction>): PlaidTransaction {
    return {
      account_id: account,
      amount: 1,
      date: this.today(),
      name: "Transaction",
      merchant_name: null,
      iso_currency_code: "USD",
      pending: false,
      pending_transaction_id: null,
      ...fields,
      transaction_id: fields.transaction_id ?? this.id("tx"),
    };
  }

  /** A public token is good once. @throws PlaidError. */
  exchange(publicToken: string): { readonly token: string; readonly item: PlaidItem } {
    const found = this.#publicTokens.get(publicToken);
    this.#publicTokens.delete(publicToken);
    if (found === undefined || found.untilMs < this.#nowMs()) {
      throw new PlaidError(
        "INVALID_INPUT",
        "INVALID_PUBLIC_TOKEN",
        "could not find matching public token",
      );
    }
    const token = this.id("access");
    this.#items.set(token, found.item);
    return { token, item: found.item };
  }

  /** @throws PlaidError when there is no item of that token. */
  item(token: string): PlaidItem {
    const found = this.#items.get(token);
    if (found !== undefined) return found;
    throw new PlaidError(
      "INVALID_INPUT",
      "INVALID_ACCESS_TOKEN",
      "could not find matching access token",
    );
  }

  /** Ends an item: its token is good for nothing any more. */
  removeItem(token: string): void {
    this.item(token);
    this.#items.delete(token);
  }

  /** An item by its id, for whoever drives the simulator. */
  itemById(id: string): PlaidItem {
    for (const item of this.#items.values()) if (item.id === id) return item;
    throw new Error(`there is no item ${id}`);
  }

  /** The `Plaid-Verification` of a body. */
  signature(body: string): string {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const claims = {
      iat: Math.floor(this.#nowMs() / 1_000),
      request_body_sha256: createHash("sha256").update(body).digest("hex"),
    };
    const signed = `${part({ alg: "ES256", kid: this.keyId, typ: "JWT" })}.${part(claims)}`;
    const signature = sign("sha256", Buffer.from(signed), {
      key: this.#privateKey,
      dsaEncoding: "ieee-p1363",
    });
    return `${signed}.${signature.toString("base64url")}`;
  }
}
