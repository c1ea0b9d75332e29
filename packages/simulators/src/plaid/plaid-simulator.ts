// A stand-in for Plaid: a real HTTP server that the unmodified official SDK talks to. It has the calls that
// docs/payments.md lists, with their errors, cursors, signed webhooks, and faults on request; no bank is asked.
// It is for development, tests and rehearsals, and listens on this machine only.
import { FaultPlan, type ApiFault, type WebhookFault } from "../http/fault-plan.ts";
import {
  serveAgain,
  type SimulatorAnswer,
  type SimulatorRequest,
} from "../http/simulator-server.ts";
import type { SimulatedCall } from "../http/simulated-call.ts";
import { readState, writeState } from "../http/state-file.ts";
import { WebhookSender, type WebhookAttempt } from "../http/webhook-sender.ts";
import { PlaidError } from "./plaid-error.ts";
import type { PlaidItem, PlaidTransaction } from "./plaid-item.ts";
import { plaidRoutes, updatesAvailable, type PlaidBody } from "./plaid-routes.ts";
import { PlaidState, type PlaidSnapshot } from "./plaid-state.ts";

/** How a simulator is started. */
export interface PlaidSimulatorOptions {
  /** Default: any free one. */
  readonly port?: number;
  /** What callers bring. Default: `client_simulator`, `secret_simulator`. */
  readonly clientId?: string;
  readonly secret?: string;
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
export interface PlaidSimulator {
  /** For the SDK: `new Configuration({ basePath: url, ... })`. */
  readonly url: string;
  readonly clientId: string;
  readonly secret: string;
  failApi(fault: ApiFault): void;
  failWebhook(fault: WebhookFault): void;
  /** Transactions change while the next sync is paged: Plaid then asks to begin again. */
  mutateDuringPagination(): void;
  /** Adds a transaction and tells the item's webhook. @returns its id. */
  addTransaction(item: string, fields: Partial<PlaidTransaction>): string;
  /** Changes one, as when what was pending is booked. */
  changeTransaction(item: string, id: string, change: Partial<PlaidTransaction>): void;
  removeTransaction(item: string, id: string): void;
  /** The person signed in at the bank again. */
  repairLogin(item: string): void;
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
  readonly state: PlaidSnapshot;
}

const stateVersion = 1;
const defaultRetryMs = [1_000, 5_000, 30_000];

/** The name of every call that the simulator has. */
export function plaidCalls(): readonly string[] {
  return Object.keys(plaidRoutes).map((path) => `POST ${path}`);
}

/** Starts a simulator of Plaid. */
export async function startPlaidSimulator(
  options: PlaidSimulatorOptions = {},
): Promise<PlaidSimulator> {
  const { clientId = "client_simulator", secret = "secret_simulator", nowMs = Date.now } = options;
  const faults = new FaultPlan();
  const sender = new WebhookSender(faults, options.webhookRetryMs ?? defaultRetryMs);
  const { file } = options;
  const kept = file === undefined ? null : (readState(file, stateVersion) as Kept | null);
  const state = new PlaidState(nowMs, kept?.state);
  let url = "";
  const save = (): void => {
    if (file === undefined) return;
    const kept: Kept = { version: stateVersion, url, state: state.snapshot() };
    writeState(file, kept);
  };
  let isMutating = false;

  function notify(item: PlaidItem, fields: Readonly<Record<string, unknown>>): void {
    const { webhook: url } = item;
    if (url === null) return;
    const body = JSON.stringify({ ...fields, item_id: item.id, environment: "sandbox" });
    const type = String(fields["webhook_code"]);
    const message = () => ({ headers: { "plaid-verification": state.signature(body) }, body });
    sender.send({ url, type, message });
  }

  function run(request: SimulatorRequest): Readonly<Record<string, unknown>> {
    const body = bodyOf(request);
    checkKeys(request, body, { clientId, secret });
    const route = Object.hasOwn(plaidRoutes, request.path) ? plaidRoutes[request.path] : undefined;
    if (route === undefined || request.method !== "POST") {
      const message = "this simulator does not have it";
      throw new PlaidError("INVALID_REQUEST", "NOT_FOUND", message, 404);
    }
    const isPaging = request.path === "/transactions/sync" && (body["cursor"] ?? "") !== "";
    if (isPaging && isMutating) {
      isMutating = false;
      throw new PlaidError(
        "TRANSACTIONS_ERROR",
        "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION",
        "underlying transaction data changed since last page was fetched. restart pagination from last update.",
      );
    }
    const { asked, watched } = watch(body);
    const answer = route({ state, body: watched, notify });
    options.onCall?.({
      name: `POST ${request.path}`,
      takes: [...asked].toSorted(),
      ignores: [],
    });
    return answer;
  }

  const server = await serveAgain(
    {
      isApi: () => true,
      answer(request) {
        const requestId = state.id("request");
        try {
          const body = JSON.stringify({ ...run(request), request_id: requestId });
          save();
          return { status: 200, body };
        } catch (error) {
          if (error instanceof PlaidError) return refused(error, requestId);
          throw error;
        }
      },
      refusal: (kind) =>
        refused(
          kind === "rateLimit"
            ? new PlaidError(
                "RATE_LIMIT_EXCEEDED",
                "TRANSACTIONS_LIMIT",
                "rate limit exceeded",
                429,
              )
            : new PlaidError(
                "API_ERROR",
                "INTERNAL_SERVER_ERROR",
                "an unexpected error occurred",
                500,
              ),
          state.id("request"),
        ),
    },
    faults,
    { port: options.port, before: kept?.url },
  );
  url = server.url;
  save();
  return {
    url: server.url,
    clientId,
    secret,
    failApi: (fault) => faults.api(fault),
    failWebhook: (fault) => faults.webhook(fault),
    mutateDuringPagination: () => {
      isMutating = true;
    },
    addTransaction(id, fields) {
      const item = state.itemById(id);
      const account = fields.account_id ?? item.accounts[0]?.account_id ?? "";
      const transaction = state.transaction(account, fields);
      item.add(transaction);
      save();
      notify(item, updatesAvailable());
      return transaction.transaction_id;
    },
    changeTransaction(id, transaction, change) {
      const item = state.itemById(id);
      if (!item.modify(transaction, change)) throw new Error(`there is no ${transaction}`);
      save();
      notify(item, updatesAvailable());
    },
    removeTransaction(id, transaction) {
      const item = state.itemById(id);
      if (!item.remove(transaction)) throw new Error(`there is no ${transaction}`);
      save();
      notify(item, updatesAvailable());
    },
    repairLogin(id) {
      state.itemById(id).needsLogin = false;
      save();
    },
    webhookAttempts: () => sender.attempts(),
    settled: () => sender.settled(),
    async close() {
      await server.close();
      await sender.close();
    },
  };
}

/** A body that notes which of its fields are looked for: `options[webhook]`, too. */
function watch(body: PlaidBody, at = "", asked = new Set<string>()) {
  const watched: PlaidBody = new Proxy(body, {
    get(target, name) {
      if (typeof name === "symbol") return Reflect.get(target, name) as unknown;
      const path = at === "" ? name : `${at}[${name}]`;
      asked.add(path);
      const value = target[name];
      const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
      return isObject ? watch(value as PlaidBody, path, asked).watched : value;
    },
  });
  return { asked, watched };
}

function bodyOf({ body }: SimulatorRequest): PlaidBody {
  try {
    const value = JSON.parse(body === "" ? "{}" : body) as unknown;
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return value as PlaidBody;
  } catch {
    // Said below.
  }
  throw new PlaidError("INVALID_REQUEST", "INVALID_BODY", "body could not be parsed as JSON");
}

function checkKeys(
  { headers }: SimulatorRequest,
  body: PlaidBody,
  { clientId, secret }: { readonly clientId: string; readonly secret: string },
): void {
  const givenId = headers["plaid-client-id"] ?? body["client_id"];
  const givenSecret = headers["plaid-secret"] ?? body["secret"];
  if (givenId === clientId && givenSecret === secret) return;
  throw new PlaidError("INVALID_INPUT", "INVALID_API_KEYS", "invalid client_id or secret provided");
}

function refused(error: PlaidError, requestId: string): SimulatorAnswer {
  return { status: error.status, body: JSON.stringify(error.body(requestId)) };
}
