// One write of a client: what is sent, and what is known of it. A write is sent with one key until it is
// answered; from then on exactly its answer must be true.
import type { Exchange, Sending } from "../server/http-exchange.ts";

/** Rows that the clients write to, by client or number: their ids, as the server acknowledged them. */
export interface Planted {
  readonly accounts: readonly string[];
  /** The note of each client. */
  readonly notes: readonly string[];
  /** The tally of each client. */
  readonly tallies: readonly string[];
}

/** A write. */
export interface Mutation {
  readonly kind: "create" | "transfer" | "update" | "batch";
  readonly key: string;
  readonly round: number;
  readonly client: number;
  readonly sending: Sending;
  /** Of a transfer: account numbers and the sum. */
  readonly move: { readonly from: number; readonly to: number; readonly amount: number } | null;
  /** The first answer, or null while there is none. */
  answer: Exchange | null;
}

/** Who writes, when and where. */
export interface MutationPlace {
  readonly key: string;
  readonly round: number;
  readonly client: number;
  readonly token: string;
}

/** More than most balances: some transfers are refused, after they have written. */
const amountMax = 800;

/** Draws the next write of a client. */
export function drawMutation(
  place: MutationPlace,
  { accounts, notes }: Planted,
  random: () => number,
): Mutation {
  const { key, round, client, token } = place;
  const common = { key, round, client, move: null, answer: null };
  const share = random();
  if (share < 0.35) {
    const from = Math.floor(random() * accounts.length);
    const to = (from + 1 + Math.floor(random() * (accounts.length - 1))) % accounts.length;
    const amount = 1 + Math.floor(random() * amountMax);
    const body = { round, key, from: accounts[from], to: accounts[to], amount };
    const sending: Sending = { method: "POST", path: "/api/fn/bank.transfer", token, key, body };
    return { ...common, kind: "transfer", sending, move: { from, to, amount } };
  }
  if (share < 0.55) {
    const path = `/api/tables/note/${notes[client]}`;
    return {
      ...common,
      kind: "update",
      sending: { method: "PATCH", path, token, key, body: { key } },
    };
  }
  if (share < 0.75) {
    const steps = [
      { create: "entry", value: { round, key, part: 1 } },
      { call: "bank.raise", args: { client } },
      { create: "entry", value: { round, key, part: 2 } },
    ];
    return {
      ...common,
      kind: "batch",
      sending: { method: "POST", path: "/api/batch", token, key, body: { steps } },
    };
  }
  const body = { round, key, part: 0 };
  return {
    ...common,
    kind: "create",
    sending: { method: "POST", path: "/api/tables/entry", token, key, body },
  };
}

/** Whether it was answered that it happened. */
export function isDone({ answer }: Mutation): boolean {
  return answer !== null && answer.status < 300;
}

/** Whether it was answered that it did not happen. */
export function isRefused({ answer }: Mutation): boolean {
  return answer !== null && answer.status >= 300;
}
