// Webhooks that come in at /hooks/{name}: a delivery signed as its sender signs is the control, and must be kept once.
// The same without a signature, of another key, altered, too old or too early must come to nothing; so must what the
// function behind a hook would do for anybody who calls it at its own address.
import type { Json } from "../../base/json.ts";
import type { HookDelivery, HookTarget } from "./attack-target.ts";
import type { HoleCode } from "./hole-codes.ts";
import type { Identity } from "./identity-plan.ts";
import { allowed, callProbe } from "./probe-call.ts";
import type { AttackSession, Observation, Probe } from "./session.ts";

const hourMs = 3_600_000;
const hugeChars = 20_000_000;
const typesMax = 4;

/** A hook under attack, and who attacks it. */
interface HookUnderAttack {
  readonly session: AttackSession;
  readonly hook: HookTarget;
  readonly by: Identity;
  /** What deliveries say happened. */
  readonly event: { readonly type: string; readonly data: Readonly<Record<string, Json>> };
}

/** Probes every webhook that comes in. @returns whether the app has one. */
export async function probeHooks(session: AttackSession): Promise<boolean> {
  const { hooks } = session.target;
  const by = session.people.find(({ kind }) => kind === "anonymous");
  if (hooks.length === 0 || by === undefined) return false;
  for (const hook of hooks) {
    const [type = "event"] = eventTypes(session);
    const parts = { session, hook, by, event: { type, data: rowIds(session, "b") } };
    if (await isTaken(parts)) {
      await wrongOnes(parts);
      await repeats(parts);
    }
    await openFunction(parts);
  }
  for (const name of ["__proto__", "constructor", "%2e%2e", "nobody-has-it"]) {
    const probe = hookProbe(name, "webhook that is not there", { headers: {}, body: "{}" });
    nothing(session, "hooks", await session.ask(by, probe), `there is no hook ${name}, and`);
  }
  return true;
}

/** The control: what its sender signs is kept. */
async function isTaken({ session, hook, by, event }: HookUnderAttack): Promise<boolean> {
  const delivery = hook.delivery({ ...event, id: "evt_control", atMs: session.target.nowMs() });
  const seen = await session.ask(by, signedProbe(hook, "webhook, signed", delivery));
  if (seen.isOk && seen.changes.length > 0) return true;
  const { status } = seen.answer;
  session.inconclusive(
    `hook ${hook.name}`,
    `a delivery that is signed rightly is answered with ${status} ${seen.code ?? ""}, so refusals of wrong ones say nothing`,
  );
  return false;
}

async function wrongOnes({ session, hook, by, event }: HookUnderAttack): Promise<void> {
  const nowMs = session.target.nowMs();
  const at = (atMs: number, more: { readonly id: string; readonly isForeign?: boolean }) =>
    hook.delivery({ ...event, ...more, atMs });
  const good = at(nowMs, { id: "evt_wrong" });
  const other = at(nowMs, { id: "evt_other" });
  const empty = Object.fromEntries(Object.keys(good.signed).map((name) => [name, ""]));
  const wrong: readonly (readonly [kind: string, HookDelivery])[] = [
    ["without a signature", { ...good, signed: {} }],
    ["with an empty signature", { ...good, signed: empty }],
    ["signed with another key", at(nowMs, { id: "evt_foreign", isForeign: true })],
    ["altered after signing", { ...good, body: good.body.replace("evt_wrong", "evt_wrung") }],
    ["longer than what was signed", { ...good, body: `${good.body} ` }],
    ["signed for another delivery", { ...good, signed: other.signed }],
    ["of another body than was signed", { ...good, body: "" }],
    ...(hook.isTimed
      ? [
          ["signed an hour ago", at(nowMs - hourMs, { id: "evt_old" })] as const,
          ["signed for an hour from now", at(nowMs + hourMs, { id: "evt_early" })] as const,
        ]
      : []),
    ["too large", { ...good, signed: {}, body: "x".repeat(hugeChars) }],
    ["nested too deep", { ...good, signed: {}, body: "[".repeat(50_000) }],
  ];
  for (const [kind, delivery] of wrong) {
    const seen = await session.ask(by, signedProbe(hook, `webhook, ${kind}`, delivery));
    nothing(session, `hook ${hook.name}`, seen, `a delivery that is ${kind}`);
  }
}

/** What must have been refused. */
function nothing(session: AttackSession, subject: string, seen: Observation, what: string): void {
  if (!seen.isOk && seen.changes.length === 0) return;
  found(session, seen, "A307", {
    subject,
    says: `${what} is answered with ${seen.answer.status}${seen.changes.length > 0 ? " and kept" : ""}`,
  });
}

function found(
  session: AttackSession,
  seen: Observation,
  code: HoleCode,
  { subject, says }: { readonly subject: string; readonly says: string },
): void {
  const [changed] = seen.changes;
  session.findings.add({
    ...{ code, subject, says, aspect: seen.probe.probe, fields: [], by: seen.by },
    ...{ request: seen.request, status: seen.answer.status },
    ...(changed === undefined ? {} : { changed }),
  });
}

/** Senders deliver again; and whoever saw a delivery may send it again under another name. */
async function repeats({ session, hook, by, event }: HookUnderAttack): Promise<void> {
  const delivery = hook.delivery({ ...event, id: "evt_again", atMs: session.target.nowMs() });
  const first = await session.askAndKeep(by, signedProbe(hook, "webhook, signed", delivery));
  const again = signedProbe(hook, "webhook, delivered twice", delivery);
  const second = await session.ask(by, again);
  if (second.changes.length > 0) {
    const says = "a delivery that came before is kept a second time";
    found(session, second, "A307", { subject: `hook ${hook.name}`, says });
  }
  if (hook.idHeader !== null) {
    const signed = { ...delivery.signed, [hook.idHeader.toLowerCase()]: "evt_renamed" };
    const renamed = signedProbe(hook, "webhook, renamed", { ...delivery, signed });
    const third = await session.ask(by, renamed);
    if (third.isOk && third.changes.length > 0) {
      const says = `whoever saw a delivery of ${hook.name} has it handled again: ${hook.idHeader} tells deliveries apart, and is not signed`;
      found(session, third, "A210", { subject: hook.function, says });
    }
  }
  await session.undo(first.changes);
}

/** The signature guards one address. The function behind it must not have another. */
async function openFunction({ session, hook }: HookUnderAttack): Promise<void> {
  const fn = session.judge.manifest.functions[hook.function];
  if (fn === undefined || fn.allow === "nobody") return;
  const at = new URL(session.target.url).host;
  for (const by of session.people) {
    if (by.kind === "trusted" || !allowed(fn, by)) continue;
    for (const side of ["a", "b"] as const) {
      for (const type of eventTypes(session)) {
        const data = rowIds(session, side);
        const body: Json = { id: "evt_called", type, data, ...data };
        const all: Readonly<Record<string, Json>> = { id: "evt_called", type, body, headers: {} };
        const args = Object.fromEntries(
          Object.entries(all).filter(([name]) => Object.hasOwn(fn.args, name)),
        );
        const seen = await session.ask(by, callProbe(fn, args, "function of a webhook"));
        if (!seen.isOk || seen.changes.length === 0) continue;
        const says = `${by.name} calls ${fn.name} at ${at}/api/fn: what only the sender of ${hook.name} may say, anybody says there`;
        found(session, seen, "A210", { subject: fn.name, says });
      }
    }
  }
}

/** Ids of one row of every table, under the table's name and that name and `Id`. */
function rowIds(session: AttackSession, cohort: "a" | "b"): Readonly<Record<string, Json>> {
  return Object.fromEntries(
    Object.keys(session.judge.manifest.tables).flatMap((table) => {
      const [row] = session.world.live(table, session.planted.rowsOf(table, cohort));
      if (row === undefined) return [];
      const id = String(row["id"]);
      return [
        [table, id],
        [`${table}Id`, id],
      ];
    }),
  );
}

/** What the app's code asks types of events to be. */
function eventTypes(session: AttackSession): readonly string[] {
  const types = new Set<string>();
  for (const text of session.target.sources.values()) {
    for (const [, type] of text.matchAll(/\btype\s*[!=]==?\s*["'`]([\w.:-]+)["'`]/g)) {
      if (type !== undefined) types.add(type);
    }
  }
  return types.size === 0 ? ["event"] : [...types].slice(0, typesMax);
}

function signedProbe(hook: HookTarget, name: string, delivery: HookDelivery): Probe {
  const headers = { ...delivery.plain, ...delivery.signed };
  return hookProbe(hook.name, name, { headers, body: delivery.body });
}

function hookProbe(
  hook: string,
  probe: string,
  { headers, body }: { readonly headers: Readonly<Record<string, string>>; readonly body: string },
): Probe {
  return {
    ...{ probe, method: "POST", path: `/hooks/${hook}`, rawBody: body, headers },
    about: { kind: "other", name: `hook ${hook}` },
  };
}
