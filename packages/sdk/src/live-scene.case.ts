// A WebSocket whose other side is the test: what the client sends is read, what it hears is told.
import assert from "node:assert/strict";
import { createClient, type Client, type ClientOptions, type LiveWebSocket } from "./client.ts";
import { define, t, table } from "./index.ts";
import type {
  LiveClientMessage,
  LiveProblem,
  LiveServerMessage,
  LiveSubscribe,
} from "./live-protocol.ts";

const { query, mutation, action, app } = define({
  film: table({ title: t.text(), rating: t.number().optional() }),
});
const cinema = {
  seats: query({
    args: { hall: t.int() },
    allow: "anyone",
    returns: t.list(t.text()),
    run: () => [],
  }),
  book: mutation({ args: { seat: t.text() }, allow: "anyone", returns: t.text(), run: () => "" }),
  pay: action({ allow: "anyone", returns: t.nothing(), run: () => undefined }),
};
const sceneApp = app({ functions: { cinema } });
type SceneApp = typeof sceneApp;

/** A message of one type. */
type Heard<T extends LiveClientMessage["type"]> = Extract<LiveClientMessage, { readonly type: T }>;

/** One connection, from the server's side. */
export class SceneSocket implements LiveWebSocket {
  readonly url: string;
  readonly protocol: string;
  readonly heard: LiveClientMessage[] = [];
  isEnded = false;
  readonly #listeners = new Map<string, ((event: never) => void)[]>();

  constructor(url: string, protocol: string) {
    this.url = url;
    this.protocol = protocol;
  }

  addEventListener(kind: string, listener: (event: never) => void): void {
    this.#listeners.set(kind, [...(this.#listeners.get(kind) ?? []), listener]);
  }

  send(text: string): void {
    assert.ok(!this.isEnded, "sent after its end");
    this.heard.push(JSON.parse(text) as LiveClientMessage);
  }

  close(): void {
    this.isEnded = true;
  }

  /** The handshake is done, and the server says hello. */
  open(more: Partial<Extract<LiveServerMessage, { readonly type: "welcome" }>> = {}): void {
    this.#fire("open", {});
    const welcome = {
      type: "welcome",
      app: "a1",
      silentMsMax: 60_000,
      messageBytesMax: 100_000,
      subscriptionsMax: 1_000,
      asksMax: 100,
    } as const;
    this.tell({ ...welcome, ...more });
  }

  tell(message: LiveServerMessage): void {
    this.#fire("message", { data: JSON.stringify(message) });
  }

  /** The connection ends from the other side. */
  end(code = 1006): void {
    this.isEnded = true;
    this.#fire("close", { code });
  }

  of<T extends LiveClientMessage["type"]>(type: T): Heard<T>[] {
    return this.heard.filter((message): message is Heard<T> => message.type === type);
  }

  /** Every subscription that was asked for, in order. */
  get subs(): readonly LiveSubscribe[] {
    return this.of("subscribe").flatMap(({ subs }) => subs);
  }

  #fire(kind: string, event: object): void {
    for (const listener of this.#listeners.get(kind) ?? []) listener(event as never);
  }
}

/** A client and the connections that it makes. */
export interface Scene {
  readonly api: Client<SceneApp>;
  readonly sockets: SceneSocket[];
  /** The newest connection. */
  readonly socket: SceneSocket;
  /** Waits until there are so many connections. */
  connected(count: number): Promise<SceneSocket>;
}

/** Makes a client whose waits are short. */
export function openScene(options: ClientOptions = {}): Scene {
  const sockets: SceneSocket[] = [];
  class SceneWebSocket extends SceneSocket {
    constructor(url: string, protocol: string) {
      super(url, protocol);
      sockets.push(this);
    }
  }
  const api = createClient<SceneApp>("http://scene.example/base/", {
    webSocket: SceneWebSocket,
    retry: { attempts: 4, baseMs: 2, capMs: 10 },
    ...options,
  });
  return {
    api,
    sockets,
    get socket() {
      return sockets.at(-1) ?? assert.fail("no connection");
    },
    async connected(count) {
      await until(() => sockets.length >= count);
      return sockets[count - 1] ?? assert.fail("no connection");
    },
  };
}

/** Waits, turn by turn, until it is so. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

/** Lets everything run that waits for nothing from outside. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** An error as a push brings it. */
export const problem = (
  code: string,
  status = 400,
  more: Partial<LiveProblem> = {},
): LiveProblem => ({
  code,
  status,
  title: "Title",
  detail: "Detail",
  requestId: "req_1",
  ...more,
});

/** A page of films by their titles, which their ids are made of. */
export const page = (...titles: string[]) => ({
  rows: titles.map((title) => ({ id: `film_${title}`, title })),
  next: null,
});
