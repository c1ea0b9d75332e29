// What the server answers once every write is answered, held against what its clients were told.
import type { HttpClient } from "../server/http-exchange.ts";
import { checkCounts, type Violations } from "./check-file.ts";
import { isDone, type Mutation } from "./mutation.ts";

/** What all rounds so far must have come to. */
export interface Expected {
  /** By account number. */
  readonly balances: number[];
  /** Batches done, by client. */
  readonly tallies: number[];
  /** The key of the last update, by client. */
  readonly notes: (string | null)[];
}

/** What is asked, by whom. */
export interface Asking {
  readonly http: HttpClient;
  readonly url: string;
  readonly auditor: string;
}

type Row = Readonly<Record<string, string | number | null>>;

/** Adds what a round's answers say. @param written each client's writes in the order it sent them. */
export function expectMore(
  { balances, tallies, notes }: Expected,
  written: readonly Mutation[],
): void {
  for (const write of written) {
    if (!isDone(write)) continue;
    if (write.kind === "batch") tallies[write.client] = (tallies[write.client] ?? 0) + 1;
    if (write.kind === "update") notes[write.client] = write.key;
    if (write.move === null) continue;
    const { from, to, amount } = write.move;
    balances[from] = (balances[from] ?? 0) - amount;
    balances[to] = (balances[to] ?? 0) + amount;
  }
}

/** Checks rows, sums and last values. @param written the round's writes, all answered. */
export async function checkServer(
  asking: Asking,
  expected: Expected,
  round: number,
  written: readonly Mutation[],
): Promise<Violations> {
  const wrong: Violations = [];
  const same = (what: string, is: unknown, must: unknown): void => {
    if (is !== must) wrong.push(`${what} is ${String(is)}, must be ${String(must)}`);
  };
  const where = encodeURIComponent(JSON.stringify({ round }));
  const counts = new Map<string, number>();
  const count = (key: string): void => void counts.set(key, (counts.get(key) ?? 0) + 1);
  for (const row of await allRows(asking, `entry?where=${where}`))
    count(`${row["key"]}/${row["part"]}`);
  for (const row of await allRows(asking, `transfer?where=${where}`)) count(`${row["key"]}/t`);
  wrong.push(...checkCounts(counts, written));
  for (const { number, balance } of await allRows(asking, "account")) {
    same(`balance of account ${number}`, balance, expected.balances[Number(number)]);
  }
  for (const { client, value } of await allRows(asking, "tally")) {
    same(`tally of client ${client}`, value, expected.tallies[Number(client)]);
  }
  for (const { client, key } of await allRows(asking, "note")) {
    same(`note of client ${client}`, key, expected.notes[Number(client)]);
  }
  return wrong;
}

/** Sends writes again with their keys: each must get its first answer, byte for byte. */
export async function checkRepeats(
  { http, url }: Pick<Asking, "http" | "url">,
  done: readonly Mutation[],
): Promise<Violations> {
  const wrong: Violations = [];
  for (const write of done) {
    const again = await http.send(url, write.sending);
    if (
      !again.replayed ||
      again.status !== write.answer?.status ||
      again.text !== write.answer.text
    ) {
      wrong.push(
        `${write.kind} ${write.key} was answered ${write.answer?.text}, its repeat ${again.status} ${again.text}`,
      );
    }
  }
  return wrong;
}

async function allRows({ http, url, auditor }: Asking, query: string): Promise<Row[]> {
  const rows: Row[] = [];
  for (let after = ""; ;) {
    const path = `/api/tables/${query}${query.includes("?") ? "&" : "?"}limit=1000${after}`;
    const { status, text } = await http.send(url, { method: "GET", path, token: auditor });
    if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
    const page = JSON.parse(text) as {
      readonly rows: readonly Row[];
      readonly next: string | null;
    };
    rows.push(...page.rows);
    if (page.next === null) return rows;
    after = `&after=${encodeURIComponent(page.next)}`;
  }
}
