// A live connection that comes back when it is lost, written by docs/reference/live.md: asks, and views that are brought from commit
// to commit. It shares no code with the server or the SDK: what applies patches is of the server's tests.
import type {
  LiveAsk,
  LiveChange,
  LiveClientMessage,
  LiveServerMessage,
  LiveWatch,
} from "@keelson/sdk/live-protocol";
import type { Json } from "@keelson/sdk/spec";
import { applied } from "../../packages/server/src/live/live-client.case.ts";
import { Lost, type Answer, type AskMore } from "./transport.ts";

/** What is watched, and what came of it. */
interface View {
  readonly watch: LiveWatch;
  value: Json | undefined;
  hash: string | null;
  isAnswered: boolean;
}

const againMs = 10;

/** A connection. */
export class LiveWire {
  readonly #url: string;
  readonly #token: string;
  readonly #nowUs: () => number;
  readonly #pushed: (commit: number) => void;
  readonly #views = new Map<number, View>();
  readonly #asks = new Map<number, (answer: Answer | null) => void>();
  #socket: WebSocket | null = null;
  #isOpen = false;
  #isClosed = false;
  #nextId = 1;
  /** Which connection it is. */
  number = 0;

  constructor(parts: {
    readonly url: string;
    readonly token: string;
    readonly nowUs: () => number;
    /** Called when all views stand on a commit. */
    readonly pushed: (commit: number) => void;
  }) {
    this.#url = parts.url;
    this.#token = parts.token;
    this.#nowUs = parts.nowUs;
    this.#pushed = parts.pushed;
    this.#connect();
  }

  /** @throws Lost */
  async send(ask: LiveAsk, more: AskMore): Promise<Answer> {
    if (!this.#isOpen) throw new Lost(false);
    const id = this.#nextId++;
    const answered = new Promise<Answer | null>((resolve) => this.#asks.set(id, resolve));
    this.#say({ type: "ask", id, ask, ...more });
    const answer = await answered;
    if (answer === null) throw new Lost(true);
    return answer;
  }

  /** Watches these and nothing else; what is watched already stays. */
  watch(watches: readonly LiveWatch[]): void {
    const wanted = new Map(watches.map((watch) => [JSON.stringify(watch), watch]));
    const ids: number[] = [];
    for (const [id, { watch }] of this.#views) {
      if (wanted.delete(JSON.stringify(watch))) continue;
      this.#views.delete(id);
      ids.push(id);
    }
    const added = [...wanted.values()].map((watch) => {
      const id = this.#nextId++;
      this.#views.set(id, { watch, value: undefined, hash: null, isAnswered: false });
      return { id, watch };
    });
    if (!this.#isOpen) return;
    if (ids.length > 0) this.#say({ type: "unsubscribe", ids });
    if (added.length > 0) this.#say({ type: "subscribe", subs: added });
  }

  /** What a view shows; undefined: nothing yet, or none watches that. */
  shown(watch: LiveWatch): Json | undefined {
    const text = JSON.stringify(watch);
    for (const view of this.#views.values()) {
      if (JSON.stringify(view.watch) === text) return view.isAnswered ? view.value : undefined;
    }
    return undefined;
  }

  close(): void {
    this.#isClosed = true;
    this.#socket?.close();
  }

  #connect(): void {
    const socket = new WebSocket(`${this.#url.replace("http", "ws")}/api/live`, "keelson.live.1");
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      if (socket === this.#socket) this.#heard(JSON.parse(String(data)) as LiveServerMessage);
    });
    socket.addEventListener("error", () => undefined);
    socket.addEventListener("close", () => this.#lost());
  }

  #lost(): void {
    this.#isOpen = false;
    for (const resolve of this.#asks.values()) resolve(null);
    this.#asks.clear();
    if (!this.#isClosed) setTimeout(() => this.#connect(), againMs);
  }

  #say(message: LiveClientMessage): void {
    this.#socket?.send(JSON.stringify(message));
  }

  #heard(message: LiveServerMessage): void {
    switch (message.type) {
      case "welcome":
        this.#isOpen = true;
        this.number += 1;
        this.#say({ type: "token", token: this.#token });
        this.#resume();
        break;
      case "result": {
        const { value, seq: commit } = message;
        this.#answered(message.id, { kind: "done", value, commit, atUs: this.#nowUs() });
        break;
      }
      case "error": {
        const { code, status } = message.error;
        this.#answered(message.id, { kind: "refused", code, status, atUs: this.#nowUs() });
        break;
      }
      case "push":
        for (const change of message.changes) this.#changed(change);
        this.#pushed(message.seq);
        break;
      case "pong":
        break;
      default:
        message satisfies never;
    }
  }

  #answered(id: number, answer: Answer): void {
    this.#asks.get(id)?.(answer);
    this.#asks.delete(id);
  }

  #resume(): void {
    if (this.#views.size === 0) return;
    const subs = [...this.#views].map(([id, view]) => {
      view.isAnswered = false;
      const { watch, hash } = view;
      return { id, watch, ...(hash === null ? {} : { hash }) };
    });
    this.#say({ type: "subscribe", subs });
  }

  #changed(change: LiveChange): void {
    const view = this.#views.get(change.id);
    if (view === undefined) return;
    if ("error" in change) {
      view.hash = null;
      view.isAnswered = false;
      if (change.ended !== true) return;
      // It could not be run now.
      this.#views.delete(change.id);
      setTimeout(() => this.#watchAgain(view.watch), (change.error.retryAfter ?? 0) * 1_000);
      return;
    }
    view.isAnswered = true;
    if ("same" in change) return;
    view.hash = change.hash;
    view.value = "value" in change ? change.value : applied(view.value ?? null, change.patch);
  }

  #watchAgain(watch: LiveWatch): void {
    this.watch([...[...this.#views.values()].map((view) => view.watch), watch]);
  }
}
