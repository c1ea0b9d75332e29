// One attack under way: sends requests as an identity, and looks at everything that comes of each: the bytes of
// the answer, the commits, the data after. What a request did is undone before the next, unless told otherwise.
import type { Json } from "../../base/json.ts";
import type { Change, Row } from "../../store/store.ts";
import type { AttackTarget, WireAnswer, WireRequest } from "./attack-target.ts";
import type { CanaryBook, CanarySight } from "./canary.ts";
import type { FindingBook } from "./finding-book.ts";
import type { Identity } from "./identity-plan.ts";
import type { Judge } from "./judge.ts";
import type { Planted } from "./plant.ts";
import type { RuleHints } from "./rule-hints.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { StartedWork, type WorkDone } from "./started-work.ts";
import type { World } from "./world.ts";

/** What a request is about: decides what it may show and change. */
export type ProbeAbout =
  | {
      readonly kind: "table";
      readonly table: string;
      readonly operation: "read" | "create" | "update" | "delete";
    }
  | { readonly kind: "function"; readonly name: string; readonly args: Json }
  | { readonly kind: "other"; readonly name: string };

/** A request of an attack. */
export interface Probe {
  /** The kind, for counting: `get`, `forged owner`. */
  readonly probe: string;
  readonly about: ProbeAbout;
  readonly method: WireRequest["method"];
  readonly path: string;
  /** Sent as JSON; undefined: none. */
  readonly body?: Json;
  /** Sent as it is, in place of `body`. */
  readonly rawBody?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What came of a request. */
export interface Observation {
  readonly by: Identity;
  readonly probe: Probe;
  readonly request: WireRequest;
  readonly answer: WireAnswer;
  /** The code of a problem, or null. */
  readonly code: string | null;
  readonly isOk: boolean;
  readonly changes: readonly Change[];
  /** Of these, what work did that may have asked another server, or waited for somebody. */
  readonly byOthers: readonly Change[];
  /** Canaries in the answer that the request did not carry, with whether the caller may read one of their places. */
  readonly sights: readonly (CanarySight & { readonly isAllowed: boolean })[];
}

/** What was sent, and what came back. */
type Seen = Pick<Observation, "by" | "probe" | "request" | "answer" | "changes"> & {
  readonly byOthers?: readonly Change[];
};

/** Looks at what came of every request. */
export type Oracle = (seen: Observation, session: AttackSession) => void;

/** What a session is made of. */
export interface SessionParts {
  readonly target: AttackTarget;
  readonly hints: RuleHints;
  readonly world: World;
  readonly judge: Judge;
  readonly canaries: CanaryBook;
  readonly random: SeededRandom;
  readonly findings: FindingBook;
  readonly planted: Planted;
  readonly oracles: readonly Oracle[];
}

/** An attack under way. */
export class AttackSession {
  readonly target: AttackTarget;
  readonly hints: RuleHints;
  readonly world: World;
  readonly judge: Judge;
  readonly canaries: CanaryBook;
  readonly random: SeededRandom;
  readonly findings: FindingBook;
  readonly planted: Planted;
  readonly people: readonly Identity[];
  readonly counts = new Map<string, number>();
  readonly unclear = new Map<string, { readonly subject: string; readonly says: string }>();
  /** Bodies with which nobody in particular created a row, by table. */
  readonly anonymousCreates = new Map<string, Json>();
  requests = 0;
  /** What requests leave to be done. */
  readonly work: StartedWork;
  readonly #oracles: readonly Oracle[];
  readonly #cohorts = new Map<string, "a" | "b" | "s">();
  #seq = 0;

  constructor(parts: SessionParts) {
    this.target = parts.target;
    this.hints = parts.hints;
    this.world = parts.world;
    this.judge = parts.judge;
    this.canaries = parts.canaries;
    this.random = parts.random;
    this.findings = parts.findings;
    this.planted = parts.planted;
    this.people = parts.planted.people;
    this.#oracles = parts.oracles;
    this.work = new StartedWork(parts.target.work);
    for (const table of Object.keys(parts.target.manifest.tables)) {
      for (const cohort of ["a", "b", "s"] as const) {
        for (const row of this.planted.rowsOf(table, cohort))
          this.#cohorts.set(String(row["id"]), cohort);
      }
    }
  }

  /** Reads the log up to now: what came before is not the attack's. */
  async begin(): Promise<void> {
    this.#seq = await this.target.lastSeq();
  }

  /** Sends a request, looks at what came of it and undoes it. */
  async ask(by: Identity, probe: Probe): Promise<Observation> {
    const seen = await this.askAndKeep(by, probe);
    await this.undo(seen.changes);
    return seen;
  }

  /** The same without undoing. */
  async askAndKeep(by: Identity, probe: Probe): Promise<Observation> {
    const request = requestOf(by, probe);
    this.#count(probe.probe);
    const answer = await this.target.send(request);
    const writes = probe.method !== "GET" && probe.method !== "HEAD";
    const changes = writes || probe.about.kind === "function" ? await this.takeChanges() : [];
    return this.#observeWork({ by, probe, request, answer, changes });
  }

  /** Looks at what came of a request and of the work that it left. */
  async #observeWork(parts: Seen): Promise<Observation> {
    const { by, probe, answer, changes } = parts;
    if (probe.about.kind === "other") return this.#observe(parts);
    const work = await this.#doWork(by, changes);
    const all = [...changes, ...work.flatMap((each) => each.changes)];
    const byOthers = work.flatMap((each) => (this.#asksOthers(each.name) ? each.changes : []));
    if (probe.about.kind === "function") return this.#observe({ ...parts, changes: all, byOthers });
    const seen = this.#observe(parts);
    // What follows a table's changes is a function of its own: its rules are not the table's.
    for (const { name, changes } of work) {
      const own: Probe = { ...probe, about: { kind: "function", name, args: {} } };
      this.#observe({ ...parts, probe: own, answer: { ...answer, text: "" }, changes });
    }
    return { ...seen, changes: all };
  }

  /** Workflows wait and step through others; functions say which servers they reach. */
  #asksOthers(name: string): boolean {
    const fn = this.judge.manifest.functions[name];
    return fn === undefined || (fn.hosts?.length ?? 0) + (fn.secrets?.length ?? 0) > 0;
  }

  /** What somebody with a role or claim begins is trusted as their request is. */
  async #doWork(by: Identity, changes: readonly Change[]): Promise<readonly WorkDone[]> {
    return by.kind === "trusted" ? [] : this.work.run(changes, () => this.takeChanges());
  }

  /** Sends the same request many times at once. @returns the answers, and all that changed, not undone. */
  async askAtOnce(
    by: Identity,
    probe: Probe,
    times: number,
  ): Promise<{
    readonly answers: readonly WireAnswer[];
    readonly changes: readonly Change[];
    readonly request: WireRequest;
  }> {
    const request = requestOf(by, probe);
    const sent = Array.from({ length: times }, () => {
      this.#count(probe.probe);
      return this.target.send(request);
    });
    const answers = await Promise.all(sent);
    const own = await this.takeChanges();
    const work = await this.#doWork(by, own);
    const changes = [...own, ...work.flatMap((each) => each.changes)];
    this.world.apply(changes);
    return { answers, changes, request };
  }

  /** Sends a request and measures it. Nothing is looked at: the same request was asked before. @returns microseconds. */
  async time(by: Identity, probe: Probe): Promise<number> {
    const request = requestOf(by, probe);
    this.#count(probe.probe);
    const started = this.target.elapsedUs();
    await this.target.send(request);
    return this.target.elapsedUs() - started;
  }

  /** Looks at a text that came by another road than an answer. */
  saw(by: Identity, probe: Probe, text: string): Observation {
    this.#count(probe.probe);
    const answer = { status: 200, headers: {}, text };
    return this.#observe({ by, probe, request: requestOf(by, probe), answer, changes: [] });
  }

  /** What was committed since the last look, taken over into the known rows. */
  async takeAndApply(): Promise<readonly Change[]> {
    const changes = await this.takeChanges();
    this.world.apply(changes);
    return changes;
  }

  /** What was committed since the last look. */
  async takeChanges(): Promise<readonly Change[]> {
    const commits = await this.target.commitsAfter(this.#seq);
    this.#seq = commits.at(-1)?.seq ?? this.#seq;
    return commits.flatMap(({ changes }) => changes);
  }

  async undo(changes: readonly Change[]): Promise<void> {
    if (changes.length === 0) return;
    await this.target.undo(changes);
    this.world.revert(changes);
    this.#seq = await this.target.lastSeq();
  }

  /** Has rows be otherwise, as if they had always been so: no request did it, and only the caller can take it back. */
  async restate(changes: readonly Change[]): Promise<void> {
    if (changes.length === 0) return;
    const reversed = changes.map((change) => ({
      ...change,
      before: change.after,
      after: change.before,
    }));
    await this.target.undo(reversed);
    this.world.apply(changes);
    this.#seq = await this.target.lastSeq();
  }

  /** Has people beside the owners in each world while `work` is done: those whom one sells to, teaches or treats. */
  async withGuests(work: () => Promise<void>): Promise<void> {
    for (const [cohort, row] of await this.planted.plantGuests()) {
      this.#cohorts.set(String(row["id"]), cohort);
    }
    const changes = await this.takeChanges();
    await work();
    await this.undo(changes);
  }

  /** Something could not be shown either way. */
  inconclusive(subject: string, says: string): void {
    this.unclear.set(`${subject} ${says}`, { subject, says });
  }

  /**
   * Whether a row is somebody else's business: neither the identity's own, nor of the world it belongs to, and
   * no role or claim lets it in.
   */
  isOutsider(by: Identity, table: string, row: Row): boolean {
    if (by.kind === "trusted") return false;
    if (this.isOwn(by, table, row)) return false;
    const tenants = [...(this.hints.tables[table]?.tenants ?? [])];
    if (tenants.length > 0) {
      return !tenants.every(([claim, field]) => by.user !== null && row[field] === by.me[claim]);
    }
    const cohort = this.#cohorts.get(String(row["id"]));
    return (
      by.kind === "anonymous" ||
      by.kind === "stranger" ||
      cohort === undefined ||
      cohort !== by.cohort
    );
  }

  /** Whether the row names the identity as its owner. */
  isOwn(by: Identity, table: string, row: Row): boolean {
    const { user } = by;
    if (user === null) return false;
    return [...(this.hints.tables[table]?.owners ?? [])].some((field) => row[field] === user);
  }

  #count(probe: string): void {
    this.requests += 1;
    this.counts.set(probe, (this.counts.get(probe) ?? 0) + 1);
  }

  #observe(parts: Seen): Observation {
    const { by, request, answer, changes } = parts;
    const known = this.canaries.tokens(
      `${decodeURIComponentSafely(request.path)} ${request.body ?? ""}`,
    );
    const found = this.canaries.find(answer.text, known);
    const isIdentity = parts.probe.about.kind === "other" && parts.probe.about.name === "identity";
    // Identity tells people who they are, whatever the rules say of the row.
    const isSelf = ({ token }: CanarySight): boolean => isIdentity && token === by.user;
    const before = found.map((sight) => isSelf(sight) || this.#mayRead(by, sight));
    this.world.apply(changes);
    const sights = found.map((sight, index) => ({
      ...sight,
      isAllowed: before[index] === true || (changes.length > 0 && this.#mayRead(by, sight)),
    }));
    const seen: Observation = {
      byOthers: [],
      ...parts,
      code: codeOf(answer),
      isOk: answer.status >= 200 && answer.status < 300,
      sights,
    };
    // The platform's own tables, where work waits that was started, have no rules to be judged by.
    const ruled = changes.filter(({ table }) => this.judge.manifest.tables[table] !== undefined);
    for (const oracle of this.#oracles) oracle({ ...seen, changes: ruled }, this);
    return seen;
  }

  #mayRead(by: Identity, { places }: CanarySight): boolean {
    return places.some(({ table, id, field }) => {
      const row = this.world.row(table, id);
      return row !== null && this.judge.readsField(by.me, table, row, field);
    });
  }
}

/** The request that goes over the wire. */
export function requestOf(by: Identity, probe: Probe): WireRequest {
  const { method, path, body, rawBody, headers = {} } = probe;
  const text = rawBody ?? (body === undefined ? null : JSON.stringify(body));
  return {
    method,
    path,
    headers: {
      ...(by.token === null ? {} : { authorization: `Bearer ${by.token}` }),
      ...(text === null ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    body: text,
  };
}

function codeOf({ status, text }: WireAnswer): string | null {
  if (status < 400) return null;
  try {
    const { code } = JSON.parse(text) as { readonly code?: unknown };
    return typeof code === "string" ? code : null;
  } catch {
    return null;
  }
}

function decodeURIComponentSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
