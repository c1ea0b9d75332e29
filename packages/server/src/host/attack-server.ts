// What an attack sees of a server of this process: its doors, and behind them, for the judge, its log, its rows
// and a way to undo. The data folder is the attack's own and is removed at the end.
import { Agent } from "node:http";
import type { TokenKeys } from "../auth/token-keys.ts";
import { signToken } from "../auth/token-sign.ts";
import { assert } from "../base/assert.ts";
import type { Json } from "../base/json.ts";
import type { Limits } from "../base/limits.ts";
import type {
  AttackSubject,
  AttackTarget,
  BadToken,
  IdentityTarget,
  LiveWire,
  StandInForm,
  WireAnswer,
  WireRequest,
  WorkTarget,
} from "../engineer/attack/attack-target.ts";
import type { GateOperation } from "../gate/gate-request.ts";
import { anonymous } from "../gate/identity.ts";
import { startWork } from "../gate/work.ts";
import type { Change, Row } from "../store/store.ts";
import { appSources } from "./attack-app.ts";
import { attackBadTokens } from "./attack-bad-tokens.ts";
import { openLiveWire } from "./attack-live-wire.ts";
import { attackHooks } from "./attack-hooks.ts";
import { attackIdentity } from "./attack-identity.ts";
import { attackSender } from "./attack-sender.ts";
import { openAttackWork } from "./attack-work.ts";
import type { AttackWorld } from "./attack-world.ts";
import type { Backend } from "./backend.ts";
import { openOperatorDesk } from "./operator-desk.ts";

const tokenMs = 3_600_000;

/** The server as this process holds it. */
export interface ServerInside {
  readonly url: string;
  readonly limits: Limits;
  current(): Backend;
  nowMs(): number;
  close(): Promise<boolean>;
}

/** The port over a server of this process, which is ended with it. */
export class AttackServer implements AttackTarget {
  readonly url: string;
  readonly sources: ReadonlyMap<string, string>;
  readonly #server: ServerInside;
  readonly #keys: TokenKeys;
  readonly #dataDir: string;
  readonly #remove: () => void;
  readonly send: (request: WireRequest) => Promise<WireAnswer>;
  readonly #agent: Agent;
  readonly hooks: AttackTarget["hooks"];
  readonly identity: IdentityTarget;
  readonly work: WorkTarget;
  readonly secret: (name: string) => string;
  readonly standIn: (form: StandInForm) => void;

  constructor(
    server: ServerInside,
    {
      keys,
      world,
      dataDir,
      remove,
    }: {
      readonly keys: TokenKeys;
      readonly world: AttackWorld;
      readonly dataDir: string;
      /** Takes the folder away. */
      readonly remove: () => void;
    },
  ) {
    this.url = server.url;
    this.#server = server;
    this.#keys = keys;
    this.#dataDir = dataDir;
    this.#remove = remove;
    this.#agent = new Agent({ keepAlive: true, maxSockets: 64 });
    this.send = attackSender(server.url, this.#agent);
    this.sources = appSources(server.current().app);
    this.hooks = attackHooks(server.current().manifest, world.keys);
    this.identity = attackIdentity(server);
    const { work } = server.current();
    assert(work !== null, "a server that is attacked writes in this thread");
    this.work = openAttackWork(work.parts());
    this.secret = world.keys.secret;
    this.standIn = world.standIn;
  }

  get manifest() {
    return this.#server.current().manifest;
  }

  signToken({ user, role, claims }: AttackSubject): Promise<string> {
    return signToken(this.#keys, { user, role, claims, ttlMs: tokenMs }, this.nowMs());
  }

  badTokens(subject: AttackSubject): Promise<readonly BadToken[]> {
    return attackBadTokens(this.#keys, subject, this.nowMs());
  }

  async plant(table: string, value: Readonly<Record<string, Json>>): Promise<Row> {
    return JSON.parse(await this.#execute({ kind: "create", table, value })) as Row;
  }

  async #execute(operation: GateOperation): Promise<string> {
    const { json } = await this.#server.current().operator().execute(operation, {
      caller: anonymous,
      authority: "system",
      asksAllow: false,
      idempotencyKey: null,
      cause: "keelson attack",
      work: startWork(),
    });
    return json;
  }

  async systemChange({
    table,
    id,
    patch,
  }: Parameters<AttackTarget["systemChange"]>[0]): Promise<void> {
    const operation =
      patch === null
        ? ({ kind: "delete", table, id } as const)
        : ({ kind: "update", table, id, value: patch } as const);
    await this.#execute(operation);
  }

  openLive(token: string | null): Promise<LiveWire> {
    return openLiveWire(this.url, token);
  }

  async rows(table: string, max: number): Promise<readonly Row[]> {
    const rows: Row[] = [];
    let after: string | undefined;
    const { store } = this.#server.current();
    while (rows.length < max) {
      const page = await store.read((tx) =>
        tx.list(
          {
            ...{ kind: "list", from: table, limit: Math.min(1_000, max - rows.length) },
            orderBy: [{ field: "id", descending: false }],
            ...(after === undefined ? {} : { after }),
          },
          null,
        ),
      );
      rows.push(...page.rows);
      if (page.next === null) break;
      after = page.next;
    }
    return rows;
  }

  async lastSeq(): Promise<number> {
    return this.#server.current().store.lastSeq();
  }

  async commitsAfter(seq: number) {
    return this.#server.current().store.commitsAfter(seq, 10_000);
  }

  async undo(changes: readonly Change[]): Promise<void> {
    const { writer, store } = this.#server.current();
    const resume = await writer.pause();
    try {
      const group = await store.openGroup();
      const meta = { by: null, cause: "keelson attack: undo", requestId: "undo" };
      const outcome = await group.mutate(
        { ...meta, atMs: this.nowMs(), idempotency: null },
        (tx) => {
          for (const { table, id, before, after } of changes.toReversed()) {
            // Work that the request began may have come to its end meanwhile, and its row with it.
            const isThere = tx.get(table, id, null) !== null;
            if (before === null) {
              if (isThere) tx.delete(table, id);
            } else if (after === null) {
              if (!isThere) tx.insert(table, before);
            } else if (isThere) {
              const { id: _, ...fields } = before;
              tx.update(table, id, fields);
            }
          }
          return "null";
        },
      );
      await group.commit();
      if (outcome.kind === "failed") throw outcome.error;
    } finally {
      resume();
    }
  }

  async brokenInvariants(): Promise<readonly string[]> {
    const server = this.#server;
    const desk = openOperatorDesk(server.current(), {
      dataDir: this.#dataDir,
      limits: server.limits,
    });
    return (await desk.invariants()).filter(({ holds }) => !holds).map(({ name }) => name);
  }

  nowMs(): number {
    return this.#server.nowMs();
  }

  elapsedUs(): number {
    return performance.now() * 1_000;
  }

  async close(): Promise<void> {
    this.#agent.destroy();
    await this.#server.close();
    this.#remove();
  }
}
