// What functions of the app see of endpoints, deliveries and what came: all but secrets and bodies.
import type { Json } from "../base/json.ts";
import { andThen } from "../base/later.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { Procedure } from "../gate/gate-app.ts";
import type { Row } from "../store/store.ts";
import { endpointsOf, ownerOf } from "./webhook-endpoint.ts";

const deliveriesMax = 100;
const endpointFields = ["id", "url", "owner", "form", "types", "isOn", "failures", "openUntil"];
const eventFields = ["id", "event", "type", "state", "at", "signedAt"];
const deliveryFields = [
  "id",
  "message",
  "type",
  "state",
  "attempts",
  "status",
  "problem",
  "at",
  "endedAt",
];

/** `{ owner? }`: the endpoints, oldest first. */
export const listEndpoints: Procedure = {
  forFunctions: true,
  run(scope, input) {
    const { owner = null } = input as { readonly owner?: Json };
    return andThen(endpointsOf(scope, ownerOf(owner)), ({ rows }) =>
      rows.map((row) => only(row, endpointFields)),
    );
  },
};

/** `{ id }` of an endpoint: its deliveries, the newest first. @throws NOT_FOUND. */
export const listDeliveries: Procedure = {
  forFunctions: true,
  run({ tx }, input) {
    const { id } = input as { readonly id?: Json };
    const endpoint = typeof id === "string" ? id : "";
    return andThen(tx.get("hookEndpoint", endpoint, null), (found) => {
      if (found === null)
        throw new PlatformError("NOT_FOUND", { endpoint: endpoint.slice(0, 100) });
      const page = tx.list(
        {
          kind: "list",
          from: "hookDelivery",
          where: { kind: "field", field: "endpoint", condition: { eq: endpoint } },
          orderBy: [
            { field: "at", descending: true },
            { field: "id", descending: true },
          ],
          limit: deliveriesMax,
        },
        null,
      );
      return andThen(page, ({ rows }) => rows.map((row) => only(row, deliveryFields)));
    });
  },
};

/** `{ hook }`: what came for a hook, the newest first. */
export const listEvents: Procedure = {
  forFunctions: true,
  run({ tx }, input) {
    const { hook } = input as { readonly hook?: Json };
    const page = tx.list(
      {
        kind: "list",
        from: "hookEvent",
        where: {
          kind: "field",
          field: "hook",
          condition: { eq: typeof hook === "string" ? hook : "" },
        },
        orderBy: [
          { field: "at", descending: true },
          { field: "id", descending: true },
        ],
        limit: deliveriesMax,
      },
      null,
    );
    return andThen(page, ({ rows }) => rows.map((row) => only(row, eventFields)));
  },
};

function only(row: Row, fields: readonly string[]): { readonly [field: string]: Json } {
  return Object.fromEntries(fields.map((field) => [field, row[field] ?? null]));
}
