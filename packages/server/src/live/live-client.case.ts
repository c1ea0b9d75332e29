// For tests: a live client of a few lines on Node's own WebSocket. It shares no code with the server, or with
// the browser's client: patches are applied here by the words of docs/reference/live.md.
import assert from "node:assert/strict";
import type {
  LiveAsk,
  LiveChange,
  LivePatch,
  LiveProblem,
  LiveServerMessage,
  LiveWatch,
} from "@keelson/sdk/live-protocol";
import type { Json } from "../base/json.ts";

type Result = Extract<LiveServerMessage, { type: "result" }>;
type Push = Extract<LiveServerMessage, { type: "push" }>;

/** What a client has of one subscription. */
export interface LiveView {
  readonly watch: LiveWatch;
  value: Json | undefined;
  hash: string | null;
  error: LiveProblem | null;
  ended: boolean;
  /** Changes that were sent, by kind. */
  readonly kinds: ("value" | "patch" | "same" | "error")[];
}

/** A connection. */
export class LiveClient {
  readonly socket: WebSocket;
  readonly views = new Map<number, LiveView>();
  readonly pushes: Push[] = [];
  /** Everything that was heard, in order. */
  readonly messages: LiveServerMessage[] = [];
  welcome: Extract<LiveServerMessage, { type: "welcome" }> | null = null;
  closeCode: number | null = null;
  #nextId = 1;
  readonly #asks = new Map<number, (message: LiveServerMessage | null) => void>();
  readonly #watchers = new Set<() => void>();

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.addEventListener("message", ({ data }) => this.#heard(String(data)));
    socket.addEventListener("close", ({ code }) => {
      this.closeCode = code;
      for (const resolve of this.#asks.values()) resolve(null);
      this.#asks.clear();
      this.#tell();
    });
    socket.addEventListener("error", () => this.#tell());
  }

  /** Connects. @param token null: nobody; undefined: none is sent. */
  static async open(url: string, token?: string | null): Promise<LiveClient> {
    const socket = new WebSocket(`${url.replace("http", "ws")}/api/live`, "keelson.live.1");
    const client = new LiveClient(socket);
    await client.until(() => client.welcome !== null || client.closeCode !== null);
    assert.equal(client.closeCode, null, "the connection was refused");
    if (token !== undefined) client.send({ type: "token", token });
    return client;
  }

  send(message: object): void {
    this.socket.send(JSON.stringify(message));
  }

  /** Asks once. @throws the problem. */
  async ask(
    ask: LiveAsk,
    more: { readonly key?: string; readonly repeat?: boolean } = {},
  ): Promise<Result> {
    const id = this.#nextId++;
    const answer = new Promise<LiveServerMessage | null>((resolve) => this.#asks.set(id, resolve));
    this.send({ type: "ask", id, ask, ...more });
    const message = await answer;
    if (message === null) throw new Error("the connection ended without an answer");
    if (message.type === "result") return message;
    assert.ok(message.type === "error");
    throw message.error;
  }

  /** Watches; resolves with the first push. @param hashes of values that it already has. */
  async watch(...watches: readonly LiveWatch[]): Promise<LiveView[]> {
    const views = this.begin(watches);
    await this.until(() => views.every(({ kinds }) => kinds.length > 0));
    return views;
  }

  /** Sends subscriptions and does not wait. */
  begin(watches: readonly LiveWatch[], before: readonly LiveView[] = []): LiveView[] {
    const subs: { id: number; watch: LiveWatch; hash?: string }[] = [];
    const views = watches.map((watch, index) => {
      const id = this.#nextId++;
      const had = before[index];
      const hash = had?.hash ?? null;
      const view: LiveView = {
        watch,
        value: had?.value,
        hash,
        error: null,
        ended: false,
        kinds: [],
      };
      this.views.set(id, view);
      subs.push({ id, watch, ...(hash === null ? {} : { hash }) });
      return view;
    });
    this.send({ type: "subscribe", subs });
    return views;
  }

  unwatch(view: LiveView): void {
    for (const [id, each] of this.views) {
      if (each !== view) continue;
      this.views.delete(id);
      this.send({ type: "unsubscribe", ids: [id] });
    }
  }

  /** Until everything stands on the present: a new subscription's first push moves all of them. */
  async fence(): Promise<number> {
    const [view] = this.begin([{ list: "nothing", query: { limit: 1 } }]);
    assert.ok(view !== undefined);
    await this.until(() => view.kinds.length > 0 || this.closeCode !== null);
    this.unwatch(view);
    return this.pushes.at(-1)?.seq ?? 0;
  }

  until(isThere: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error("it did not come within 10 s")), 10_000);
      const watch = () => {
        if (!isThere()) return;
        clearTimeout(late);
        this.#watchers.delete(watch);
        resolve();
      };
      this.#watchers.add(watch);
      watch();
    });
  }

  async close(): Promise<void> {
    this.socket.close();
    await this.until(() => this.closeCode !== null);
  }

  #tell(): void {
    for (const watch of this.#watchers) watch();
  }

  #heard(text: string): void {
    const message = JSON.parse(text) as LiveServerMessage;
    this.messages.push(message);
    switch (message.type) {
      case "welcome":
        this.welcome = message;
        break;
      case "result":
      case "error":
        this.#asks.get(message.id)?.(message);
        this.#asks.delete(message.id);
        break;
      case "push":
        this.pushes.push(message);
        for (const change of message.changes) this.#changed(change);
        break;
      case "pong":
        break;
      default:
        message satisfies never;
    }
    this.#tell();
  }

  #changed(change: LiveChange): void {
    const view = this.views.get(change.id);
    if (view === undefined) return;
    if ("error" in change) {
      view.kinds.push("error");
      view.error = change.error;
      view.value = undefined;
      view.hash = null;
      view.ended = change.ended === true;
      return;
    }
    view.error = null;
    if ("same" in change) {
      view.kinds.push("same");
      return;
    }
    view.hash = change.hash;
    if ("value" in change) {
      view.kinds.push("value");
      view.value = change.value;
    } else {
      view.kinds.push("patch");
      assert.notEqual(view.value, undefined, "a patch has a value to be applied to");
      view.value = applied(view.value as Json, change.patch);
    }
  }
}

type Row = { readonly [field: string]: Json };

/** A patch, applied as the reference says. */
export function applied(value: Json, patch: LivePatch): Json {
  switch (patch.kind) {
    case "rows": {
      const page = value as { readonly rows: readonly Row[] };
      let rows = [...(patch.at === "rows" ? page.rows : (value as unknown as readonly Row[]))];
      rows = rows.filter((row) => !(patch.remove ?? []).includes(row["id"] as string));
      for (const row of patch.upsert ?? []) {
        const at = rows.findIndex((each) => each["id"] === row["id"]);
        if (at === -1) rows.push(row);
        else rows[at] = row;
      }
      const { order } = patch;
      if (order !== undefined) {
        rows.sort((a, b) => order.indexOf(a["id"] as string) - order.indexOf(b["id"] as string));
      }
      return patch.at === "rows" ? { ...(value as Row), ...patch.set, rows } : rows;
    }
    case "items": {
      const items = (value as readonly Json[]).slice(0, patch.length);
      for (const [index, item] of patch.set) items[index] = item;
      return items;
    }
    case "fields": {
      const kept = Object.entries(value as Row).filter(
        ([key]) => !(patch.unset ?? []).includes(key),
      );
      return { ...Object.fromEntries(kept), ...patch.set };
    }
    default:
      return patch satisfies never;
  }
}
