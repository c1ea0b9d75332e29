// Plaid's public keys for webhooks, asked of its API once each and kept while they are good
// (https://plaid.com/docs/api/webhooks/webhook-verification). A key that Plaid does not have is not asked for again
// at once: whoever sends made-up names would have us call it each time.
import type { JWK } from "jose";
import type { Egress } from "../isolate/egress.ts";

interface Kept {
  readonly key: JWK | null;
  readonly untilMs: number;
}

const goodMs = 3_600_000;
const missingMs = 60_000;
const keysMax = 100;
const askMsMax = 10_000;
const answerBytesMax = 65_536;
const defaultUrl = "https://production.plaid.com";

/** What asking needs. */
export interface PlaidKeysParts {
  readonly egress: Egress;
  nowMs(): number;
  /** `PLAID_URL`: another address of the API, as of its sandbox. */
  readonly url: string | null;
}

/** Keys by name. */
export class PlaidKeys {
  readonly #parts: PlaidKeysParts;
  readonly #kept = new Map<string, Kept>();

  constructor(parts: PlaidKeysParts) {
    this.#parts = parts;
  }

  /** @param credentials client id and secret. @returns null when Plaid has no such key. @throws EGRESS_FAILED. */
  async key([clientId = "", secret = ""]: readonly string[], kid: string): Promise<JWK | null> {
    const nowMs = this.#parts.nowMs();
    const kept = this.#kept.get(kid);
    if (kept !== undefined && kept.untilMs > nowMs) return kept.key;
    const key = await this.#ask({ client_id: clientId, secret, key_id: kid });
    if (this.#kept.size >= keysMax) this.#kept.clear();
    this.#kept.set(kid, { key, untilMs: nowMs + (key === null ? missingMs : goodMs) });
    return key;
  }

  async #ask(body: object): Promise<JWK | null> {
    const base = new URL(this.#parts.url ?? defaultUrl);
    const answer = await this.#parts.egress.send({
      request: {
        method: "POST",
        url: new URL("/webhook_verification_key/get", base).href,
        headers: [["content-type", "application/json"]],
        body: Buffer.from(JSON.stringify(body)).toString("base64"),
      },
      redirect: "error",
      hosts: [base.host],
      msMax: askMsMax,
      bytesMax: answerBytesMax,
      redirectsMax: 0,
      signal: new AbortController().signal,
    });
    if (answer.status !== 200 || answer.body === null) return null;
    const { key } = JSON.parse(Buffer.from(answer.body, "base64").toString()) as {
      readonly key?: JWK & { readonly expired_at?: number | null };
    };
    if (key === undefined) return null;
    const { expired_at: expiredAt = null } = key;
    return expiredAt !== null && expiredAt * 1_000 <= this.#parts.nowMs() ? null : key;
  }
}
