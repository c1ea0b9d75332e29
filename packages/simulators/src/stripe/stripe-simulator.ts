// A stand-in for Stripe: a real HTTP server that the unmodified official SDK talks to. It has the calls that
// docs/payments.md lists, with their states, errors, idempotency, webhooks, and faults on request; no money moves.
// It is for development, tests and rehearsals, and listens on this machine only.
import { createHash } from "node:crypto";
import { decodeForm, type FormValue } from "../http/form-decode.ts";
import { FaultPlan, type ApiFault, type WebhookFault } from "../http/fault-plan.ts";
import {
  serveAgain,
  type SimulatorAnswer,
  type SimulatorRequest,
} from "../http/simulator-server.ts";
import type { SimulatedCall } from "../http/simulated-call.ts";
import { readState, writeState } from "../http/state-file.ts";
import { WebhookSender, type WebhookAttempt } from "../http/webhook-sender.ts";
import { billingRoutes, renewSubscriptions } from "./stripe-billing.ts";
import { cardRoutes } from "./stripe-cards.ts";
import { answerPage, checkoutRoutes, expireSessions, paySession } from "./stripe-checkout.ts";
import { customerRoutes } from "./stripe-customers.ts";
import { badParam, StripeError } from "./stripe-error.ts";
import { expanded } from "./stripe-expand.ts";
import { IdempotentAnswers } from "./stripe-idempotency.ts";
import { StripeParams } from "./stripe-params.ts";
import { paymentRoutes } from "./stripe-payments.ts";
import { matchRoute, type StripeRoute } from "./stripe-route.ts";
import { StripeState, type StripeObject, type StripeSnapshot } from "./stripe-state.ts";
import { EventSender, eventRoutes } from "./stripe-webhooks.ts";

/** How a simulator is started. */
export interface StripeSimulatorOptions {
  /** Default: any free one. */
  readonly port?: number;
  /** The API key that callers bring. Default: `sk_test_simulator`. */
  readonly secretKey?: string;
  /** Who gets webhooks from the start; the API adds others. */
  readonly webhooks?: readonly { readonly url: string; readonly secret: string }[];
  /** How long a refused webhook waits for each further attempt, in ms. Default: 1 s, 5 s, 30 s. */
  readonly webhookRetryMs?: readonly number[];
  /** Time in ms since 1970. Default: this machine's. */
  readonly nowMs?: () => number;
  /** Where it keeps what it knows: a simulator that is started on the same file goes on with it. Default: nowhere. */
  readonly file?: string;
  /** Told of each call that was answered as asked. */
  readonly onCall?: (call: SimulatedCall) => void;
}

/** A simulator that runs. */
export interface StripeSimulator {
  /** For the SDK: `new Stripe(secretKey, { host, port, protocol: "http" })`. */
  readonly host: string;
  readonly port: number;
  readonly url: string;
  readonly secretKey: string;
  /** Makes something go wrong with the next request that fits. */
  /** Sends webhooks to one more. */
  addWebhook(webhook: { readonly url: string; readonly secret: string }): void;
  failApi(fault: ApiFault): void;
  /** Makes something go wrong with the next webhook that fits. */
  failWebhook(fault: WebhookFault): void;
  /** Lets time pass: subscriptions renew, sessions expire. */
  advance(ms: number): void;
  /** Pays a checkout session as a person would on its page. @returns where the person is sent. */
  pay(session: string, card?: string, email?: string): string;
  /** Objects of a kind, the newest first: `charge`, `refund`, `event`. */
  objects(kind: string): readonly StripeObject[];
  /** Every attempt to send a webhook. */
  webhookAttempts(): readonly WebhookAttempt[];
  /** Resolves when no webhook is under way. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

/** What a file of its state holds. */
interface Kept {
  readonly version: number;
  /** Where it was reached. */
  readonly url: string;
  readonly state: StripeSnapshot;
  readonly answers: ReturnType<IdempotentAnswers["entries"]>;
  /** Ids of events that somebody was not told of. */
  readonly waiting: readonly string[];
}

const stateVersion = 1;
const apiVersion = "2026-10-28.endive";
const defaultRetryMs = [1_000, 5_000, 30_000];
/** Every call there is. */
const routes: readonly StripeRoute[] = [
  ...customerRoutes,
  ...cardRoutes,
  ...paymentRoutes,
  ...checkoutRoutes,
  ...billingRoutes,
  ...eventRoutes,
];

/** `GET /v1/customers/:id`. */
function callName({ method, path }: StripeRoute): string {
  return `${method} ${path}`;
}

/** The name of every call that the simulator has. */
export function stripeCalls(): readonly string[] {
  return routes.map((route) => callName(route));
}

/** Starts a simulator of Stripe. */
export async function startStripeSimulator(
  options: StripeSimulatorOptions = {},
): Promise<StripeSimulator> {
  const { secretKey = "sk_test_simulator", nowMs = Date.now, onCall = () => {} } = options;
  const faults = new FaultPlan();
  const sender = new WebhookSender(faults, options.webhookRetryMs ?? defaultRetryMs);
  const state = new StripeState(nowMs, apiVersion);
  const { file } = options;
  const kept = file === undefined ? null : (readState(file, stateVersion) as Kept | null);
  if (kept !== null) state.restore(kept.state);
  const answers = new IdempotentAnswers(kept?.answers);
  let url = "";
  let isClosed = false;
  const save = (): void => {
    if (file === undefined || isClosed) return;
    const waiting = events.waiting();
    const told: Kept = {
      version: stateVersion,
      url,
      waiting,
      answers: answers.entries(),
      state: state.snapshot(),
    };
    writeState(file, told);
  };
  const events = new EventSender(state, sender, { nowMs, changed: save });
  events.dropGiven();
  const addWebhook: StripeSimulator["addWebhook"] = ({ url, secret }) => {
    events.resume(kept?.waiting ?? [], [events.add(url, ["*"], secret)]);
  };
  for (const { url, secret } of options.webhooks ?? []) events.add(url, ["*"], secret);
  const server = await serveAgain(
    {
      isApi: ({ path }) => path.startsWith("/v1/"),
      answer(request) {
        const answer = request.path.startsWith("/v1/")
          ? answerApi({ state, url, secretKey, answers, onCall }, request)
          : answerPeople(state, url, request);
        if (request.method !== "GET") save();
        return answer;
      },
      refusal: (kind) =>
        kind === "rateLimit"
          ? failure(
              new StripeError(429, {
                type: "invalid_request_error",
                code: "rate_limit",
                message: "Too many requests.",
              }),
            )
          : failure(
              new StripeError(500, { type: "api_error", message: "An unknown error occurred." }),
            ),
    },
    faults,
    { port: options.port, before: kept?.url },
  );
  url = server.url;
  if (kept !== null) {
    moveUrls(state, kept.url, url);
    expireSessions(state);
    events.resume(kept.waiting);
  }
  save();
  return {
    host: "127.0.0.1",
    port: server.port,
    url,
    secretKey,
    addWebhook,
    failApi: (fault) => faults.api(fault),
    failWebhook: (fault) => faults.webhook(fault),
    advance(ms) {
      state.advance(ms);
      renewSubscriptions(state, url);
      expireSessions(state);
      save();
    },
    pay(session, card = "4242424242424242", email = "customer@example.com") {
      try {
        return paySession(state, state.get("checkout.session", session), { card, email, url });
      } finally {
        save();
      }
    },
    objects: (kind) => state.all(kind),
    webhookAttempts: () => sender.attempts(),
    settled: () => sender.settled(),
    async close() {
      await server.close();
      await sender.close();
      save();
      isClosed = true;
    },
  };
}

/** Pages that people have open: their addresses are those of the simulator as it is now. */
function moveUrls(state: StripeState, before: string, now: string): void {
  if (before === now) return;
  for (const object of state.snapshot().objects) {
    const { url } = object;
    if (typeof url === "string" && url.startsWith(before))
      object["url"] = now + url.slice(before.length);
  }
}

interface Api {
  readonly state: StripeState;
  readonly url: string;
  readonly secretKey: string;
  readonly answers: IdempotentAnswers;
  readonly onCall: (call: SimulatedCall) => void;
}

function answerApi(api: Api, request: SimulatorRequest): SimulatorAnswer {
  const requestId = api.state.id("req");
  const headers = { "request-id": requestId, "stripe-version": apiVersion };
  try {
    checkKey(request, api.secretKey);
    const key = request.method === "POST" ? request.headers["idempotency-key"] : undefined;
    if (key === undefined) return withHeaders(callApi(api, request), headers);
    const hash = createHash("sha256").update(`${request.path}\n${request.body}`).digest("hex");
    const { answer, isRepeat } = api.answers.once(key, hash, () => callApi(api, request));
    return withHeaders(answer, isRepeat ? { ...headers, "idempotent-replayed": "true" } : headers);
  } catch (error) {
    if (error instanceof StripeError) return withHeaders(failure(error), headers);
    throw error;
  }
}

/** What the SDK is told, refusals of the card included: they are answers that are kept for their key. */
function callApi(api: Api, request: SimulatorRequest): SimulatorAnswer {
  const { method, path } = request;
  const found = matchRoute(routes, method, path);
  if (found === null) {
    throw new StripeError(404, {
      type: "invalid_request_error",
      message: `Unrecognized request URL (${method}: ${path}): this simulator does not have it.`,
    });
  }
  let form: Record<string, FormValue>;
  try {
    form = decodeForm(method === "POST" ? request.body : request.query.toString());
  } catch (error) {
    throw badParam("", error instanceof Error ? error.message : "Malformed parameters");
  }
  const params = new StripeParams(form);
  const expand = params.texts("expand");
  try {
    const { state, url } = api;
    const made = found.route.run({ state, params, path: found.path, url });
    params.done();
    api.onCall({ name: callName(found.route), ...params.names() });
    return { status: 200, body: JSON.stringify(expanded(state, made, expand)) };
  } catch (error) {
    if (error instanceof StripeError && error.status === 402) return failure(error);
    throw error;
  }
}

function checkKey({ headers }: SimulatorRequest, secretKey: string): void {
  const { authorization = "" } = headers;
  const basic = /^Basic (.+)$/.exec(authorization)?.[1];
  const given =
    basic === undefined
      ? authorization.replace(/^Bearer /, "")
      : Buffer.from(basic, "base64").toString().replace(/:.*$/s, "");
  if (given === secretKey) return;
  const message = given === "" ? "You did not provide an API key." : "Invalid API Key provided.";
  throw new StripeError(401, { type: "invalid_request_error", message });
}

function failure(error: StripeError): SimulatorAnswer {
  return { status: error.status, body: JSON.stringify({ error: error.body }) };
}

function withHeaders(
  answer: SimulatorAnswer,
  headers: Readonly<Record<string, string>>,
): SimulatorAnswer {
  return { ...answer, headers: { ...answer.headers, ...headers } };
}

function answerPeople(state: StripeState, url: string, request: SimulatorRequest): SimulatorAnswer {
  const form =
    request.method === "POST" ? Object.fromEntries(new URLSearchParams(request.body)) : null;
  const html = { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" };
  try {
    const answer = answerPage({ state, url, path: request.path, form });
    if (answer === null) return { status: 404, body: "Not found" };
    if ("goTo" in answer) return { status: 303, headers: { location: answer.goTo }, body: "" };
    return { status: 200, headers: html, body: answer.html };
  } catch (error) {
    if (error instanceof StripeError)
      return { status: error.status, headers: html, body: error.message };
    throw error;
  }
}
