// Clients in a process of their own: forked, told what to do by messages, and in the end it hands over what they wrote down.
import { setTimeout as wait } from "node:timers/promises";
import { seededRandom } from "../server/random.ts";
import { lookAtKeys, type AskPlace } from "./draw-ask.ts";
import { HistoryClient } from "./history-client.ts";
import { watchSdk, watchWire, type HistoryWatch } from "./history-watch.ts";
import type { Operation } from "./history.ts";
import { LiveWire } from "./live-wire.ts";
import { httpTransport } from "./transport-http.ts";
import { sdkTransport } from "./transport-sdk.ts";
import type { Transport } from "./transport.ts";

/** What a process is told first. */
export interface ClientOrders {
  readonly kind: "begin";
  readonly name: string;
  readonly seed: number;
  /** The server, and a way to it that is cut now and then. */
  readonly url: string;
  readonly cutUrl: string;
  /** One for each client of the process. */
  readonly users: readonly { readonly id: string; readonly token: string }[];
  readonly allUsers: readonly string[];
  /** Where its own values begin. */
  readonly valuesFrom: number;
  /** The history's clock begins here, of `process.hrtime`. */
  readonly originUs: number;
  /** Keys of this history begin here. */
  readonly keysFrom: number;
  /** How long keys are in use. */
  readonly epochMs: number;
  readonly restMsMax: number;
}

/** What it is told after that: to end what it does; to look at everything and wait until what is shown is what is. */
export type ClientMessage = ClientOrders | { readonly kind: "stop" | "settle" };

/** What it says: that it can begin; that nothing is under way any more; what was written down, and what went wrong. */
export type ClientReport =
  | { readonly kind: "ready" | "quiet" }
  | {
      readonly kind: "history";
      readonly operations: readonly Operation[];
      readonly problems: readonly string[];
    };

/** The clients of a process, by how they ask. */
const ways = ["kept", "fresh", "wire", "sdk", "kept", "fresh", "wire", "sdk live"] as const;
/** How many users the runner makes for a process. */
export const clientsPerProcess = ways.length;

const keysAtOnce = 3;
const keysStride = 4;
const settleMsMax = 60_000;
const lookMs = 20;

class ClientProcess {
  readonly #orders: ClientOrders;
  readonly #operations: Operation[] = [];
  readonly #problems: string[] = [];
  readonly #transports: Transport[] = [];
  readonly #watches: HistoryWatch[] = [];
  readonly #running: Promise<void>[] = [];
  #values: number;
  #isOver = false;
  readonly #nowUs = (): number => Number(process.hrtime.bigint() / 1_000n) - this.#orders.originUs;

  readonly #record = (operation: Operation): void => {
    this.#operations.push(operation);
  };

  constructor(orders: ClientOrders) {
    this.#orders = orders;
    this.#values = orders.valuesFrom;
    for (const [at, way] of ways.entries()) this.#start(at, way);
    void this.#keepWatching();
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#running);
  }

  /** Looks at all keys of the history, and waits until live queries show what a look at theirs says. */
  async settle(): Promise<void> {
    const keys = this.#keys(this.#epoch());
    for (const watch of this.#watches) watch.watch(keys);
    const startUs = this.#nowUs();
    const looker = this.#looker();
    for (let epoch = 0; epoch <= this.#epoch(); epoch++) await looker(this.#keys(epoch));
    const untilMs = performance.now() + settleMsMax;
    for (const [at, watch] of this.#watches.entries()) {
      const isThere = async (): Promise<boolean> => {
        const shown = JSON.stringify(watch.shown()?.filter(({ key }) => !key.startsWith("right")));
        const now = JSON.stringify(await looker(keys));
        return shown !== undefined && shown.includes(now.slice(1, -1));
      };
      while (performance.now() < untilMs && !(await isThere())) await wait(lookMs);
      const common = { what: "shown in the end", kind: "shown", outcome: "done" } as const;
      const client = `${this.#orders.name}.settled ${at}`;
      const steps = watch.shown();
      if (steps === null) this.#problems.push(`${client} shows nothing`);
      else this.#record({ ...common, client, startUs, endUs: this.#nowUs(), commit: null, steps });
    }
    for (const watch of this.#watches) watch.stop();
    for (const transport of this.#transports) transport.close();
  }

  report(): ClientReport {
    return { kind: "history", operations: this.#operations, problems: this.#problems };
  }

  #start(at: number, way: (typeof ways)[number]): void {
    const { users, url, cutUrl, seed, name: processName, restMsMax } = this.#orders;
    const user = users[at];
    if (user === undefined) return;
    const { id, token } = user;
    const name = `${processName}.${way.replace(" ", "-")}.${at}`;
    const nowUs = this.#nowUs;
    const record = this.#record;
    const other = httpTransport(url, token, false);
    let transport: Transport;
    if (way === "kept" || way === "fresh") transport = httpTransport(url, token, way === "kept");
    else if (way === "wire") {
      const watch = watchWire({ name, user: id, nowUs, record }, (pushed) => {
        return new LiveWire({ url: cutUrl, token, nowUs, pushed });
      });
      const { wire } = watch;
      this.#watches.push(watch);
      transport = {
        connection: () => `${name} ${wire.number}`,
        send: (ask, more) => wire.send(ask, more),
        close: () => wire.close(),
      };
    } else {
      const sdk = sdkTransport(cutUrl, token, way === "sdk" ? "http" : "live");
      this.#watches.push(watchSdk({ name, user: id, nowUs, record }, sdk));
      transport = sdk;
    }
    this.#transports.push(transport, other);
    const random = seededRandom(seed * 1_009 + at);
    const met: AskPlace["met"] = new Map();
    const place = (): AskPlace => {
      const epoch = this.#epoch() - (random() < 0.15 ? 1 : 0);
      const { allUsers } = this.#orders;
      const common = { random, user: id, users: allUsers, met };
      return { ...common, keys: this.#keys(Math.max(0, epoch)), nextValue: () => this.#values++ };
    };
    const client = new HistoryClient({ name, transport, other, nowUs, record, restMsMax });
    this.#running.push(
      client.run(place, () => this.#isOver).catch((error: unknown) => this.#failed(name, error)),
    );
  }

  async #keepWatching(): Promise<void> {
    for (let shown = -1; !this.#isOver; await wait(lookMs)) {
      if (shown === this.#epoch()) continue;
      shown = this.#epoch();
      for (const watch of this.#watches) watch.watch(this.#keys(shown));
    }
  }

  /** @returns a client that looks at keys, and tells what it saw. */
  #looker(): (keys: readonly number[]) => Promise<Operation["steps"]> {
    const { name, url, users } = this.#orders;
    const transport = httpTransport(url, users[0]?.token ?? "", false);
    this.#transports.push(transport);
    let last: Operation["steps"] = [];
    const record = (operation: Operation): void => {
      last = operation.steps;
      this.#record(operation);
    };
    const common = { transport, other: transport, nowUs: this.#nowUs, record, restMsMax: 0 };
    const client = new HistoryClient({ name: `${name}.end`, ...common });
    return async (keys) => {
      await client.ask(lookAtKeys(keys), () => 1);
      return last;
    };
  }

  #keys(epoch: number): number[] {
    const first = this.#orders.keysFrom + epoch * keysStride;
    return Array.from({ length: keysAtOnce }, (_, at) => first + at);
  }

  #epoch(): number {
    return Math.floor(this.#nowUs() / 1_000 / this.#orders.epochMs);
  }

  #failed(name: string, error: unknown): void {
    this.#problems.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

let clients: ClientProcess | null = null;

async function told(message: ClientMessage): Promise<void> {
  switch (message.kind) {
    case "begin":
      clients = new ClientProcess(message);
      return;
    case "stop":
      await clients?.stop();
      say({ kind: "quiet" });
      return;
    case "settle":
      await clients?.settle();
      say(clients?.report() ?? { kind: "history", operations: [], problems: ["nothing began"] });
      return;
    default:
      message satisfies never;
  }
}

function say(report: ClientReport): void {
  process.send?.(report);
}

if (process.send !== undefined) {
  process.on("message", (message) => {
    told(message as ClientMessage).catch((error: unknown) => {
      say({ kind: "history", operations: [], problems: [String((error as Error).stack)] });
    });
  });
  process.once("disconnect", () => process.exit());
  say({ kind: "ready" });
}
