// Delivering a webhook, as work. Every attempt is signed anew, goes to public addresses only and follows no redirect.
// What fails is tried again over three days, ever later. An endpoint that fails again and again has its circuit
// opened: nothing is sent for a while, then one delivery tries, and the others wait for what comes of it. What is due
// while its endpoint is switched off is dead.
// States of a delivery: waiting -> done | dead.
import type { Json } from "../base/json.ts";
import { andThen, type Later } from "../base/later.ts";
import { PlatformError } from "../base/platform-error.ts";
import { timeText } from "../gate/gate-app.ts";
import type { ProcedureScope } from "../gate/gate-app.ts";
import { msOfTime, timeOfMs } from "../model/field-time.ts";
import type { Row } from "../store/store.ts";
import type { Job, JobFailure } from "../work/job.ts";
import type { ActOutcome, JobEnd, QueuePolicy, WorkKind, WorkWorld } from "../work/work-kind.ts";
import type { CloudEvent } from "./cloud-event.ts";
import { writeCloudEvents, type CloudEventForm } from "./cloud-event-http.ts";
import { endpointUrl } from "./endpoint-url.ts";
import { privateHostsOf, secretsOf } from "./webhook-endpoint.ts";
import { signWebhook } from "./webhook-sign.ts";

/** How long a delivery is tried. */
export const deliveryMsMax = 3 * 86_400_000;
/** Failures in a row after which the circuit opens. */
export const circuitFailures = 5;

const firstWaitMs = 5_000;
const waitMsMax = 12 * 3_600_000;
const circuitMsMin = 60_000;
const circuitMsMax = 3_600_000;
const answerMsMax = 20_000;
/** What is read of an answer's body, so that its sender sees it taken. Nothing in it counts. */
const answerBytesMax = 65_536;

const policy: QueuePolicy = {
  concurrency: 64,
  perKey: 4,
  rate: null,
  ratePerKey: null,
  // Attempts are counted and ended here, by time.
  attemptsMax: 1_000_000,
  backoffMs: firstWaitMs,
  backoffMsMax: waitMsMax,
  timeoutMs: answerMsMax + 5_000,
  keepMs: 0,
  ordered: false,
};

/** What an attempt needs, read in the writer. */
type Begun =
  | { readonly kind: "gone" | "off" }
  | { readonly kind: "wait"; readonly untilMs: number }
  | {
      readonly kind: "send";
      readonly url: string;
      readonly host: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
    };

/** What an attempt gave: an HTTP status, 0 for none. */
interface Attempted {
  readonly kind: "gone" | "off" | "wait" | "sent";
  readonly untilMs?: number;
  readonly status?: number;
  readonly problem?: string | null;
  /** Trying again can't help. */
  readonly isFinal?: boolean;
}

/** The kind of work. */
export const webhookKind: WorkKind = {
  kind: "webhook",
  hasOwnInput: true,
  policy: () => policy,
  place: () => "world",
  async act(world, job) {
    const begun = (await world.submit(beginWebhookName, job.input)) as unknown as Begun;
    if (begun.kind !== "send") return begun;
    return (await attempt(world, begun)) as unknown as Json;
  },
  ended: (scope, job, outcome) => ended(scope, job, outcome),
  died: (scope, job, failure) => died(scope, job, failure),
  revived: (scope, job) => waitAnew(scope, (job.input as { readonly delivery: string }).delivery),
};

/** The name of the procedure that an attempt begins with. */
export const beginWebhookName = "webhook.begin";

/** Reads what is to be sent, signed. Answers Begun. */
export function beginWebhook(scope: ProcedureScope, input: Json): Later<Json> {
  const { tx, run } = scope;
  return andThen(rowsOf(scope, input), (rows): Later<Json> => {
    if (rows === null) return { kind: "gone" };
    const { delivery, endpoint } = rows;
    if (endpoint["isOn"] !== true) return { kind: "off" };
    const open = endpoint["openUntil"];
    const openMs = typeof open === "string" ? msOfTime(open) : 0;
    if (openMs > run.nowMs) return { kind: "wait", untilMs: openMs };
    const url = endpointUrl(endpoint["url"] as string, privateHostsOf(scope));
    const { headers: formHeaders, body } = messageOf(endpoint, delivery);
    const signature = signWebhook(
      { id: delivery["message"] as string, atMs: run.nowMs, body: Buffer.from(body) },
      secretsOf(endpoint, run.nowMs),
    );
    const headers = { ...formHeaders, ...signature };
    const begun: Begun = { kind: "send", url: url.href, host: url.host, headers, body };
    if (openMs === 0) return begun;
    // Half open: this one tries; the others wait until it had the time to.
    const openUntil = timeOfMs(run.nowMs + answerMsMax);
    const id = endpoint["id"] as string;
    return andThen(tx.update("hookEndpoint", id, { openUntil }), () => begun);
  });
}

/** What an endpoint's form is on the wire. A batch has one event: deliveries succeed and fail by themselves. */
const cloudEventForms: Readonly<Record<string, CloudEventForm>> = {
  cloudevents: "structured",
  "cloudevents-binary": "binary",
  "cloudevents-batch": "batch",
};

/** The body in the endpoint's form, with the headers that say which. */
function messageOf(
  endpoint: Row,
  delivery: Row,
): { readonly headers: Readonly<Record<string, string>>; readonly body: string } {
  const body = delivery["body"] as string;
  const form = endpoint["form"];
  if (form === "standard") return { headers: { "content-type": "application/json" }, body };
  const { type, timestamp, data } = JSON.parse(body) as {
    readonly type: string;
    readonly timestamp: string;
    readonly data: Json;
  };
  const event: CloudEvent = {
    id: delivery["message"] as string,
    source: "/keelson",
    type,
    time: timestamp,
    datacontenttype: "application/json",
    extensions: {},
    data: { kind: "json", value: data },
  };
  const written = writeCloudEvents([event], cloudEventForms[form as string] ?? "binary");
  return { headers: written.headers, body: Buffer.from(written.body).toString() };
}

async function attempt(
  { egress, signal }: WorkWorld,
  { url, host, headers, body }: Extract<Begun, { readonly kind: "send" }>,
): Promise<Attempted> {
  try {
    const { status } = await egress.send({
      request: {
        method: "POST",
        url,
        headers: Object.entries({ ...headers, "user-agent": "keelson" }),
        body: Buffer.from(body).toString("base64"),
      },
      redirect: "manual",
      hosts: [host],
      msMax: answerMsMax,
      bytesMax: answerBytesMax,
      redirectsMax: 0,
      signal,
    });
    return answered(status);
  } catch (error) {
    if (!(error instanceof PlatformError)) throw error;
    const { reason, status } = error.details;
    // It came with the headers; the body was too long, too slow or broken.
    if (typeof status === "number") return answered(status);
    const problem = typeof reason === "string" ? `${error.code}: ${reason}` : error.code;
    return { kind: "sent", status: 0, problem, isFinal: error.code === "EGRESS_DENIED" };
  }
}

function answered(status: number): Attempted {
  const isTaken = status >= 200 && status < 300;
  const problem = isTaken ? null : `answered ${status}`;
  return { kind: "sent", status, problem, isFinal: status === 410 };
}

function ended(scope: ProcedureScope, job: Job, outcome: ActOutcome): Later<JobEnd | "default"> {
  if (!outcome.ok) return "default";
  const given = outcome.result as unknown as Attempted;
  if (given.kind === "gone") return { kind: "done" };
  if (given.kind === "off") return switchedOff(scope);
  if (given.kind === "wait") return { kind: "again", dueMs: given.untilMs ?? null };
  return andThen(rowsOf(scope, job.input), (rows): Later<JobEnd> => {
    if (rows === null) return { kind: "done" };
    return given.problem === null
      ? succeeded(scope, rows, given)
      : failed(scope, rows, { job, given });
  });
}

interface Rows {
  readonly delivery: Row;
  readonly endpoint: Row;
}

function succeeded(
  { tx, run }: ProcedureScope,
  { delivery, endpoint }: Rows,
  given: Attempted,
): Later<JobEnd> {
  const patch = {
    state: "done",
    status: given.status ?? 0,
    problem: null,
    attempts: (delivery["attempts"] as number) + 1,
    endedAt: timeText(run.nowMs),
  };
  return andThen(tx.update("hookDelivery", delivery["id"] as string, patch), () => {
    if (endpoint["failures"] === 0) return { kind: "done" };
    const healthy = { failures: 0, openUntil: null };
    return andThen(tx.update("hookEndpoint", endpoint["id"] as string, healthy), (): JobEnd => ({
      kind: "done",
    }));
  });
}

function failed(
  { tx, run }: ProcedureScope,
  { delivery, endpoint }: Rows,
  { job, given }: { readonly job: Job; readonly given: Attempted },
): Later<JobEnd> {
  const attempts = (delivery["attempts"] as number) + 1;
  const failures = (endpoint["failures"] as number) + 1;
  const { status = 0, problem = null, isFinal = false } = given;
  const spent = run.nowMs - msOfTime(delivery["at"] as string);
  const dueMs = run.nowMs + waitMs(run.app.random.bytes(4), attempts);
  const isOver = isFinal || spent >= deliveryMsMax;
  const overCircuit = failures - circuitFailures;
  const openMs = Math.min(circuitMsMax, circuitMsMin * 2 ** Math.min(10, Math.max(0, overCircuit)));
  const endpointPatch: Row = {
    failures,
    openUntil: overCircuit >= 0 ? timeOfMs(run.nowMs + openMs) : null,
    // Gone for good: nobody wants these any more.
    ...(status === 410 ? { isOn: false } : {}),
  };
  const deliveryPatch: Row = { attempts, status, problem: problem?.slice(0, 300) ?? null };
  return andThen(tx.update("hookEndpoint", endpoint["id"] as string, endpointPatch), () =>
    andThen(tx.update("hookDelivery", delivery["id"] as string, deliveryPatch), (): JobEnd => {
      if (!isOver) return { kind: "again", dueMs, input: job.input };
      const failure: JobFailure = {
        code: "WEBHOOK_REFUSED",
        text: problem ?? "",
        details: { status, attempts },
        atMs: run.nowMs,
      };
      return { kind: "dead", failure };
    }),
  );
}

function switchedOff({ run }: ProcedureScope): JobEnd {
  const text = "the endpoint is switched off";
  const failure = { code: "WEBHOOK_REFUSED", text, details: {}, atMs: run.nowMs };
  return { kind: "dead", failure };
}

function died({ tx, run }: ProcedureScope, job: Job, failure: JobFailure): Later<void> {
  const { delivery } = job.input as { readonly delivery: string };
  return andThen(tx.get("hookDelivery", delivery, null), (row) => {
    if (row === null) return undefined;
    const patch = {
      state: "dead",
      problem: failure.text.slice(0, 300),
      endedAt: timeText(run.nowMs),
    };
    return andThen(tx.update("hookDelivery", delivery, patch), () => undefined);
  });
}

/** A delivery is tried again, for three days more. */
export function waitAnew({ tx, run }: ProcedureScope, id: string): Later<void> {
  return andThen(tx.get("hookDelivery", id, null), (row) => {
    if (row === null) return undefined;
    const patch = { state: "waiting", attempts: 0, endedAt: null, at: timeText(run.nowMs) };
    return andThen(tx.update("hookDelivery", id, patch), () => undefined);
  });
}

/** Doubles with each attempt, give or take a quarter. */
function waitMs(random: Uint8Array, attempts: number): number {
  const wait = Math.min(waitMsMax, firstWaitMs * 2 ** Math.min(40, attempts - 1));
  const part = new DataView(random.buffer, random.byteOffset, 4).getUint32(0) / 2 ** 32;
  return Math.round(wait * (0.75 + part / 2));
}

function rowsOf({ tx }: ProcedureScope, input: Json): Later<Rows | null> {
  const { delivery: id } = input as { readonly delivery: string };
  return andThen(tx.get("hookDelivery", id, null), (delivery) => {
    if (delivery === null || delivery["state"] !== "waiting") return null;
    return andThen(tx.get("hookEndpoint", delivery["endpoint"] as string, null), (endpoint) =>
      endpoint === null ? null : { delivery, endpoint },
    );
  });
}
