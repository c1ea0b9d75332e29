// Limits, on a second server where the declared ones hold: each must refuse past its count, also through the
// batch; a secret that is guessed and a table that anybody fills must have one at all.
import type { Json } from "../../base/json.ts";
import type { FunctionModel, LimitSpec } from "../../model/manifest.ts";
import type { AttackTarget, WireAnswer } from "./attack-target.ts";
import type { Identity } from "./identity-plan.ts";
import { Harvest, makeArgs } from "./call-args.ts";
import { allowed, callProbe } from "./probe-call.ts";
import { isGuessedName } from "./sensitive-name.ts";
import { requestOf, type AttackSession, type Probe } from "./session.ts";

const guesses = 60;
/** Limits that take longer than this many requests to reach are not tried. */
const triedMax = 300;

/** Probes declared and missing limits. */
export async function probeLimits(
  session: AttackSession,
  openLimited: () => Promise<AttackTarget>,
): Promise<void> {
  // The first target runs without declared limits; the app's own say what was declared.
  const limited = await openLimited();
  try {
    const { manifest } = limited;
    for (const fn of Object.values(manifest.functions)) {
      if (fn.allow === "nobody") continue;
      if (fn.limit !== undefined)
        await declared(session, limited, fn.name, fn.limit, callSender(session, limited, fn));
      else await guessing(session, limited, fn);
    }
    for (const { name, limits } of Object.values(manifest.tables)) {
      if (limits.read !== undefined)
        await declared(session, limited, name, limits.read, readSender(session, limited, name));
      if (limits.write === undefined) await filling(session, limited, name);
    }
  } finally {
    await limited.close();
  }
}

interface Sender {
  readonly by: Identity;
  readonly probe: Probe;
  /** Whether it can be a step of a batch, and which. */
  readonly step: Json | null;
  send(asBatch: boolean): Promise<WireAnswer>;
}

function callSender(
  session: AttackSession,
  target: AttackTarget,
  fn: FunctionModel,
): Sender | null {
  const by =
    session.people.toReversed().find((one) => one.kind !== "trusted" && allowed(fn, one)) ??
    session.people.find((one) => allowed(fn, one));
  if (by === undefined) return null;
  const harvest = new Harvest(target.sources);
  const args = makeArgs(session, by, fn.args, { side: "own", turn: 0, harvest });
  const probe = callProbe(fn, args, "declared limit");
  const step = fn.kind === "query" || fn.kind === "mutation" ? { call: fn.name, args } : null;
  return makeSender(target, by, probe, step);
}

function readSender(session: AttackSession, target: AttackTarget, table: string): Sender | null {
  const by = session.people.find(({ kind }) => kind === "stranger");
  if (by === undefined) return null;
  const about = { kind: "table", table, operation: "read" } as const;
  const probe: Probe = {
    probe: "declared limit",
    about,
    method: "GET",
    path: `/api/tables/${table}?limit=1`,
  };
  return makeSender(target, by, probe, { list: table, query: { limit: 1 } });
}

/** Tokens of the first server are of other keys: the second one signs its own, for the same users. */
function makeSender(target: AttackTarget, by: Identity, probe: Probe, step: Json | null): Sender {
  let token: string | null = null;
  const signed = async (): Promise<Identity> => {
    if (by.user === null) return by;
    const claims = Object.fromEntries(
      Object.entries(by.me).filter(([claim]) => claim !== "id" && claim !== "role"),
    );
    token ??= await target.signToken({ user: by.user, role: by.role, claims });
    return { ...by, token };
  };
  return {
    by,
    probe,
    step,
    async send(asBatch) {
      const who = await signed();
      const asked = asBatch
        ? { ...probe, method: "POST" as const, path: "/api/batch", body: { steps: [step] } }
        : probe;
      return target.send(requestOf(who, asked));
    },
  };
}

async function declared(
  session: AttackSession,
  target: AttackTarget,
  subject: string,
  limit: LimitSpec,
  sender: Sender | null,
): Promise<void> {
  void target;
  const counts = [limit.perUser, limit.perAddress, limit.total].flatMap((text) =>
    text === undefined ? [] : [Number(text.split("/")[0])],
  );
  const least = Math.min(...counts);
  if (sender === null || !Number.isFinite(least)) return;
  if (least > triedMax) {
    session.counts.set(
      "limits too high to try",
      (session.counts.get("limits too high to try") ?? 0) + 1,
    );
    return;
  }
  const roads = sender.step === null ? [false] : [false, true];
  // A bucket fills again while it is emptied: a few more than its count, and it must have refused once.
  for (const asBatch of roads) {
    let refused = false;
    for (let sent = 0; sent < least * 2 + 5 && !refused; sent++) {
      const answer = await sender.send(asBatch);
      count(session, asBatch ? "declared limit by batch" : "declared limit");
      refused = answer.status === 429;
    }
    if (refused) continue;
    session.findings.add({
      ...{ code: "A304", subject, aspect: asBatch ? "batch" : "door", fields: [], by: sender.by },
      ...{ request: requestOf(sender.by, sender.probe), status: 200 },
      says: `${subject} is limited to ${least} requests, and let ${least * 2 + 5} through${asBatch ? " as steps of batches" : ""}`,
    });
  }
}

/** A function that takes a code from anybody, and takes as many wrong ones as somebody sends. */
async function guessing(
  session: AttackSession,
  target: AttackTarget,
  fn: FunctionModel,
): Promise<void> {
  const guessed = Object.entries(fn.args).find(
    ([name, spec]) => isGuessedName(name) && (spec.kind === "text" || spec.kind === "int"),
  );
  if (guessed === undefined || fn.limit !== undefined || typeof fn.allow === "object") return;
  const sender = callSender(session, target, fn);
  if (sender === null) return;
  for (let sent = 0; sent < guesses; sent++) {
    const args = { ...(sender.probe.body as Record<string, Json>) };
    const [name, spec] = guessed;
    args[name] =
      spec.kind === "text"
        ? `guess${sent}`.slice(0, spec.max)
        : Math.min(spec.kind === "int" ? spec.max : sent, 100_000 + sent);
    const answer = await makeSender(target, sender.by, { ...sender.probe, body: args }, null).send(
      false,
    );
    count(session, "guess");
    if (answer.status === 429) return;
  }
  session.findings.add({
    ...{ code: "A207", subject: fn.name, aspect: "guess", fields: [guessed[0]], by: sender.by },
    ...{ request: requestOf(sender.by, sender.probe), status: 200 },
    says: `${sender.by.name} sent ${guesses} wrong values of ${guessed[0]} to ${fn.name}, and nothing slowed them down`,
  });
}

/** A table that nobody has to sign in for to write to, without a limit of its own. */
async function filling(session: AttackSession, target: AttackTarget, table: string): Promise<void> {
  const anonymous = session.people.find(({ kind }) => kind === "anonymous");
  const body = session.anonymousCreates.get(table);
  if (anonymous === undefined || body === undefined) return;
  const about = { kind: "table", table, operation: "create" } as const;
  const probe: Probe = { probe: "fill", about, method: "POST", path: `/api/tables/${table}`, body };
  let last: WireAnswer | null = null;
  for (let sent = 0; sent < guesses; sent++) {
    last = await makeSender(target, anonymous, probe, null).send(false);
    count(session, "fill");
    if (last.status === 429) return;
  }
  session.findings.add({
    ...{ code: "A208", subject: table, aspect: "fill", fields: [], by: anonymous },
    ...{ request: requestOf(anonymous, probe), status: last?.status ?? 0 },
    says: `anonymous sent ${guesses} rows to ${table} at once, and nothing slowed them down`,
  });
}

function count(session: AttackSession, probe: string): void {
  session.requests += 1;
  session.counts.set(probe, (session.counts.get(probe) ?? 0) + 1);
}
