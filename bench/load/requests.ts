// The requests of each workload, drawn from one seed, so that every subject gets the same sequence of choices.
import type { Ready } from "../subjects/subject.ts";

export type Workload = "transfer" | "transfer-zipf" | "insert" | "read" | "list" | "counter";

/** One request, ready to be sent many times (a key is added when sent where the subject wants one). */
export interface Request {
  readonly method: "GET" | "POST" | "PATCH";
  readonly path: string;
  readonly token: string;
  readonly body: string | null;
}

const zipfExponent = 1.5;

/** @returns `count` requests of a workload against a subject. */
export function drawRequests(
  workload: Workload,
  ready: Ready,
  count: number,
  seed: number,
): Request[] {
  const random = mulberry32(seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const zipf = workload === "transfer-zipf" ? zipfTable(ready.accounts.length) : null;
  const account = (): string =>
    zipf === null ? pick(ready.accounts) : (ready.accounts[search(zipf, random())] as string);
  const id = (text: string): string | number => (/^\d+$/.test(text) ? Number(text) : text);
  return Array.from({ length: count }, (): Request => {
    const caller = pick(ready.callers);
    const post = (path: string, body: object): Request => ({
      method: "POST",
      path,
      token: caller.token,
      body: JSON.stringify(body),
    });
    const get = (path: string): Request => ({
      method: "GET",
      path,
      token: caller.token,
      body: null,
    });
    switch (workload) {
      case "transfer":
      case "transfer-zipf":
        return post(ready.paths.transfer, { from: id(account()), to: id(account()), amount: 1 });
      case "insert":
        return post(ready.paths.insert, {
          room: id(caller.room),
          author: id(caller.user),
          text: "A message of the length that people write in a room.",
        });
      case "read":
        return get(ready.paths.read + pick(ready.posts));
      case "list":
        return get(ready.paths.list.replace("{author}", pick(ready.authors)));
      case "counter":
        if (ready.paths.raise !== null)
          return post(ready.paths.raise, { counter: id(ready.counter) });
        if (ready.raise === undefined) throw new Error("the subject does not say how to raise");
        return { ...ready.raise, token: caller.token, body: JSON.stringify(ready.raise.body) };
    }
    return workload satisfies never;
  });
}

function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Cumulative shares of ranks 1..size under Zipf. */
function zipfTable(size: number): Float64Array {
  const table = new Float64Array(size);
  let sum = 0;
  for (let rank = 0; rank < size; rank++) table[rank] = sum += 1 / (rank + 1) ** zipfExponent;
  return table.map((value) => value / sum);
}

function search(table: Float64Array, value: number): number {
  let low = 0;
  let high = table.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((table[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
