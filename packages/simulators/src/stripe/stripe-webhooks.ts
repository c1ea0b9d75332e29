// Events and who is told of them: endpoints, signatures (https://docs.stripe.com/webhooks/signature), and the list of
// events that an app reads to catch up with what it missed.
import { createHmac } from "node:crypto";
import type { WebhookSender } from "../http/webhook-sender.ts";
import { badParam } from "./stripe-error.ts";
import { listOf } from "./stripe-list.ts";
import type { StripeRoute } from "./stripe-route.ts";
import { hiddenOf, type StripeObject, type StripeState } from "./stripe-state.ts";

/** As Stripe: https://docs.stripe.com/api/events/list. */
const typesMax = 20;

/** Sends every event to the endpoints that asked for its type. */
export class EventSender {
  readonly #state: StripeState;
  readonly #sender: WebhookSender;
  readonly #nowMs: () => number;
  /** Ids of events and how many deliveries of each are under way. */
  readonly #waiting = new Map<string, number>();
  readonly #changed: () => void;

  /**
   * @param nowMs real time: signatures are checked against the receiver's clock.
   * @param changed told when a delivery has ended.
   */
  constructor(
    state: StripeState,
    sender: WebhookSender,
    { nowMs, changed }: { readonly nowMs: () => number; readonly changed: () => void },
  ) {
    this.#state = state;
    this.#sender = sender;
    this.#nowMs = nowMs;
    this.#changed = changed;
    state.onEvent((event) => this.#tell(event));
  }

  /** Adds an endpoint with a secret that is known already. */
  add(url: string, types: readonly string[], secret: string): StripeObject {
    const endpoint = makeEndpoint(this.#state, url, types, secret);
    hiddenOf(endpoint).isGiven = true;
    return endpoint;
  }

  /** Drops those that were added so. */
  dropGiven(): void {
    for (const endpoint of this.#state.all("webhook_endpoint")) {
      if (hiddenOf(endpoint).isGiven === true) this.#state.drop(endpoint.id);
    }
  }

  /** Ids of events that somebody has not been told of yet. */
  waiting(): readonly string[] {
    return [...this.#waiting.keys()];
  }

  /** Tells of events again that an earlier process could not tell of. @param endpoints default: all. */
  resume(ids: readonly string[], endpoints?: readonly StripeObject[]): void {
    for (const id of ids) {
      const event = this.#state.find(id);
      if (event !== null) this.#tell(event, endpoints);
    }
  }

  #tell(
    event: StripeObject,
    endpoints: readonly StripeObject[] = this.#state.all("webhook_endpoint").toReversed(),
  ): void {
    const type = String(event["type"]);
    for (const endpoint of endpoints) {
      if (!wants(endpoint, type)) continue;
      // As it is now: what happens to the object later is another event's.
      const body = JSON.stringify(event);
      const message = () => {
        const seconds = Math.floor(this.#nowMs() / 1_000);
        const signature = createHmac("sha256", hiddenOf(endpoint).secret ?? "")
          .update(`${seconds}.${body}`)
          .digest("hex");
        return { headers: { "stripe-signature": `t=${seconds},v1=${signature}` }, body };
      };
      this.#waiting.set(event.id, (this.#waiting.get(event.id) ?? 0) + 1);
      const ended = (): void => {
        const left = (this.#waiting.get(event.id) ?? 1) - 1;
        if (left > 0) this.#waiting.set(event.id, left);
        else this.#waiting.delete(event.id);
        this.#changed();
      };
      this.#sender.send({ url: String(endpoint["url"]), type, message, ended });
    }
  }
}

function wants(endpoint: StripeObject, type: string): boolean {
  const types = endpoint["enabled_events"] as readonly string[];
  return endpoint["status"] === "enabled" && (types.includes("*") || types.includes(type));
}

function makeEndpoint(
  state: StripeState,
  url: string,
  types: readonly string[],
  secret: string,
): StripeObject {
  if (!URL.canParse(url)) throw badParam("url", "Invalid URL", "url_invalid");
  const endpoint = state.make("we", "webhook_endpoint", {
    api_version: state.apiVersion,
    description: null,
    enabled_events: types,
    metadata: {},
    status: "enabled",
    url,
  });
  hiddenOf(endpoint).secret = secret;
  return endpoint;
}

/** Calls about events and endpoints. */
export const eventRoutes: readonly StripeRoute[] = [
  {
    method: "GET",
    path: "/v1/events",
    run: (call) => {
      const types = call.params.texts("types");
      if (types.length > typesMax) throw badParam("types", `At most ${typesMax} types.`);
      return listOf(
        call,
        "event",
        "/v1/events",
        ["type"],
        ({ type }) => types.length === 0 || types.includes(String(type)),
      );
    },
  },
  {
    method: "GET",
    path: "/v1/events/:id",
    run: ({ state, path }) => state.get("event", path["id"] ?? ""),
  },
  {
    method: "POST",
    path: "/v1/webhook_endpoints",
    run: ({ state, params }) => {
      const url = params.needed("url");
      const types = params.texts("enabled_events");
      if (types.length === 0) params.needed("enabled_events");
      params.ignore("description", "metadata", "api_version");
      params.done();
      const secret = `whsec_${state.id("sim")}`;
      // Told once, when it is made.
      return { ...makeEndpoint(state, url, types, secret), secret };
    },
  },
  {
    method: "GET",
    path: "/v1/webhook_endpoints",
    run: (call) => listOf(call, "webhook_endpoint", "/v1/webhook_endpoints"),
  },
  {
    method: "DELETE",
    path: "/v1/webhook_endpoints/:id",
    run: ({ state, path }) => {
      const { id } = state.get("webhook_endpoint", path["id"] ?? "");
      state.drop(id);
      return { id, object: "webhook_endpoint", deleted: true };
    },
  },
];
