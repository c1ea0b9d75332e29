// Webhooks: http functions that refuse everybody who does not sign. The control is a delivery signed as a sender
// would, with a secret that the app keeps (one of the environment, which is made up here, a secret field of a planted
// row, or a text in its source). Then each of the same without a signature, of another key, altered, of an hour ago, and twice must come to nothing.
import type { Json } from "../../base/json.ts";
import type { FunctionModel } from "../../model/manifest.ts";
import type { Change } from "../../store/store.ts";
import type { Identity } from "./identity-plan.ts";
import { fieldSensitivity } from "./sensitive-name.ts";
import type { AttackSession, Observation, Probe } from "./session.ts";
import { signForms, type Delivery, type SignForm } from "./webhook-sign.ts";

const secretsMax = 12;
const headersMax = 4;
const staleSeconds = 3_600;

/** A way in that was found. */
interface Signed {
  readonly form: SignForm;
  readonly delivery: Delivery;
  readonly seen: Observation;
}

/**
 * Probes a function that refused every call. @param probe a call of it, with arguments that it takes.
 * @param args of a call with rows of others.
 * @returns whether a signed delivery was taken, so that the refusals were refusals.
 */
export async function probeWebhook(
  session: AttackSession,
  fn: FunctionModel,
  probe: Probe,
  args: {
    readonly own: Readonly<Record<string, Json>>;
    readonly other: Readonly<Record<string, Json>>;
  },
): Promise<boolean> {
  const anonymous = session.people.find(({ kind }) => kind === "anonymous");
  if (fn.kind !== "http" || probe.method === "GET" || anonymous === undefined) return false;
  const signed = await findForm(session, probe, { anonymous, args: args.own });
  if (signed === null) return false;
  await wrongOnes(session, fn, probe, { anonymous, signed, other: bodyOf(session, args.other, 2) });
  await twice(session, fn, probe, { anonymous, signed });
  return true;
}

/** Whoever signs rightly is trusted: what they change is meant. */
function sender(anonymous: Identity): Identity {
  return { ...anonymous, name: "the webhook's sender", kind: "trusted" };
}

async function findForm(
  session: AttackSession,
  probe: Probe,
  {
    anonymous,
    args,
  }: { readonly anonymous: Identity; readonly args: Readonly<Record<string, Json>> },
): Promise<Signed | null> {
  const body = bodyOf(session, args, 1);
  for (const header of headerNames(session.target.sources)) {
    for (const secret of secretsOf(session)) {
      for (const form of signForms) {
        const seconds = Math.floor(session.target.nowMs() / 1_000);
        const delivery = { header, secret, body, seconds, id: "msg_keelson_1" };
        const seen = await send(session, sender(anonymous), probe, { form, delivery });
        if (seen.isOk) return { form, delivery, seen };
      }
    }
  }
  return null;
}

function send(
  session: AttackSession,
  by: Identity,
  probe: Probe,
  parts: {
    readonly form: SignForm;
    readonly delivery: Delivery;
    /** Sent in place of what was signed. */
    readonly body?: string;
    readonly name?: string;
  },
): Promise<Observation> {
  return session.ask(by, deliveryProbe(probe, parts));
}

function deliveryProbe(
  probe: Probe,
  {
    form,
    delivery,
    body = delivery.body,
    name = "webhook, signed",
  }: {
    readonly form: SignForm;
    readonly delivery: Delivery;
    readonly body?: string;
    readonly name?: string;
  },
): Probe {
  return { ...probe, probe: name, rawBody: body, headers: form.headers(delivery) };
}

async function wrongOnes(
  session: AttackSession,
  fn: FunctionModel,
  probe: Probe,
  {
    anonymous,
    signed,
    other,
  }: { readonly anonymous: Identity; readonly signed: Signed; readonly other: string },
): Promise<void> {
  const { form, delivery } = signed;
  const old = { ...delivery, seconds: delivery.seconds - staleSeconds };
  const foreign = { ...delivery, secret: `whsec_${"bm90LXRoZS1rZXk".repeat(2)}` };
  const nothing: SignForm = { name: "none", isTimed: false, headers: () => ({}) };
  const wrong: readonly (readonly [kind: string, Parameters<typeof send>[3]])[] = [
    ["without a signature", { form: nothing, delivery }],
    ["signed with another key", { form, delivery: foreign }],
    // A secret that is sent as it is says nothing of the body: there is nothing to alter.
    ...(form.name.startsWith("the secret")
      ? []
      : [["altered after signing", { form, delivery, body: other }] as const]),
    ...(form.isTimed ? [["signed an hour ago", { form, delivery: old }] as const] : []),
  ];
  for (const [kind, parts] of wrong) {
    const seen = await send(session, anonymous, probe, { ...parts, name: `webhook, ${kind}` });
    if (!isTaken(seen, signed.seen)) continue;
    session.findings.add({
      ...{ code: "A210", subject: fn.name, aspect: kind, fields: [], by: anonymous },
      ...{ request: seen.request, status: seen.answer.status },
      ...(seen.changes[0] === undefined ? {} : { changed: seen.changes[0] }),
      says: `${fn.name} takes a delivery that is ${kind} (a rightful one: ${form.name})`,
    });
  }
}

/** Whether it did what the rightful one did. An answer of 200 with nothing behind it is a refusal in kind words. */
function isTaken(seen: Observation, rightful: Observation): boolean {
  if (!seen.isOk) return false;
  if (rightful.changes.length > 0) return seen.changes.length > 0;
  return seen.answer.text === rightful.answer.text;
}

/** Senders deliver again when an answer is lost: the second time nothing more may come of it. */
async function twice(
  session: AttackSession,
  fn: FunctionModel,
  probe: Probe,
  { anonymous, signed }: { readonly anonymous: Identity; readonly signed: Signed },
): Promise<void> {
  const again = deliveryProbe(probe, { ...signed, name: "webhook, delivered twice" });
  const first = await session.askAndKeep(sender(anonymous), again);
  const second = await session.askAndKeep(sender(anonymous), again);
  const more = second.changes.find(isMore);
  await session.undo([...first.changes, ...second.changes]);
  if (more === undefined || !first.changes.some(isMore)) return;
  session.findings.add({
    ...{ code: "A205", subject: fn.name, aspect: "delivered twice", fields: [], by: anonymous },
    ...{ request: second.request, status: second.answer.status, changed: more },
    says: `${fn.name} does twice what was delivered twice`,
  });
}

/** A row more, or a number moved on. */
function isMore({ before, after }: Change): boolean {
  if (before === null) return after !== null;
  if (after === null) return false;
  return Object.keys(after).some(
    (field) => typeof after[field] === "number" && after[field] !== before[field],
  );
}

/** The arguments with what deliveries have: a name of their own, and a type that the source asks for. */
function bodyOf(
  session: AttackSession,
  args: Readonly<Record<string, Json>>,
  number: number,
): string {
  const asked = [...session.target.sources.values()].flatMap((text) => [
    ...text.matchAll(/\btype\s*[!=]==?\s*["'`]([\w.:-]+)["'`]/g),
  ]);
  const type = asked[0]?.[1] ?? "event";
  return JSON.stringify({ id: `evt_keelson_${number}`, type, amount: 5, data: args, ...args });
}

/** Headers that the app's code reads. */
function headerNames(sources: ReadonlyMap<string, string>): readonly string[] {
  const names = new Set<string>();
  for (const text of sources.values()) {
    for (const [, name] of text.matchAll(/headers\s*\.get\(\s*["'`]([\w-]+)["'`]/g)) {
      if (name !== undefined && name !== "content-type") names.add(name.toLowerCase());
    }
  }
  return [...names].slice(0, headersMax);
}

/** What the app can check a signature with. */
function secretsOf(session: AttackSession): readonly string[] {
  const secrets = new Set<string>();
  for (const { name, fields } of Object.values(session.judge.manifest.tables)) {
    for (const [field, spec] of Object.entries(fields)) {
      if (spec.kind !== "text" || fieldSensitivity(name, field) !== "secret") continue;
      for (const row of session.world.rows(name).slice(0, 3)) {
        if (typeof row[field] === "string") secrets.add(row[field]);
      }
    }
  }
  const written =
    /(?:secret|key|token)\w*\s*(?::\s*string\s*)?[:=]\s*["'`]([^"'`\s]{6,120})["'`]/gi;
  for (const text of session.target.sources.values()) {
    for (const [, value] of text.matchAll(written)) if (value !== undefined) secrets.add(value);
  }
  for (const { kind, secrets: names = [] } of Object.values(session.judge.manifest.functions)) {
    if (kind === "http") for (const name of names) secrets.add(session.target.secret(name));
  }
  return [...secrets].slice(-secretsMax);
}
