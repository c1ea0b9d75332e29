// Events and who is told of them: endpoints, signatures (https://docs.stripe.com/webhooks/signature), and the list of
// events that an app reads to catch up with what it missed.
import { createHmac } from "node:crypto";
import type { WebhookSender } from "../http/webhook-sender.ts";
import { badParam } from "./stripe-error.ts";
import { listOf } from "./stripe-list.ts";
import type { StripeRoute } from "./stripe-route.ts";
import type { StripeObject, StripeState } from "./stripe-state.ts";

const secrets = new WeakMap<StripeObject, string>();

/** Sends every event to the endpoints that asked for its type. */
export class EventSender {
  readonly #state: StripeState;

  /** @param nowMs real time: signatures are checked against the receiver's clock. */
  constructor(state: StripeState, sender: WebhookSender, nowMs: () => number) {
    this.#state = state;
    state.onEvent((event) => {
      const type = String(event["type"]);
      for (const endpoint of state.all("webhook_endpoint").toReversed()) {
        if (!wants(endpoint, type)) continue;
        // As it is now: what happens to the object later is another event's.
        const body = JSON.stringify(event);
        const message = () => {
          const seconds = Math.floor(nowMs() / 1_000);
          const signature = createHmac("sha256", secrets.get(endpoint) ?? "")
            .update(`${seconds}.${body}`)
            .digest("hex");
          return { headers: { "stripe-signature": `t=${seconds},v1=${signature}` }, body };
        };
        sender.send({ url: String(endpoint["url"]), type, message });
      }
    });
  }

  /** Adds an endpoint with a secret that is known already. */
  add(url: string, types: readonly string[], secret: string): StripeObject {
    return makeEndpoint(this.#state, url, types, secret);
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
  secrets.set(endpoint, secret);
  return endpoint;
}

/** Calls about events and endpoints. */
export const eventRoutes: readonly StripeRoute[] = [
  {
    method: "GET",
    path: "/v1/events",
    run: (call) => {
      const types = call.params.texts("types");
      if (types.length > 1) throw badParam("types", "This simulator filters by one type.");
      const page = listOf(call, "event", "/v1/events", ["type"]);
      if (types.length === 0) return page;
      const { data } = page as { readonly data: readonly StripeObject[] };
      return { ...page, data: data.filter((event) => event["type"] === types[0]) };
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
