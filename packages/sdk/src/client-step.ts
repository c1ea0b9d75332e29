// A step as batches and live connections spell it (docs/reference/http.md#batches).
import type { ClientStep } from "./client-request.ts";
import type { LiveStep } from "./live-protocol.ts";
import type { Json } from "./spec.ts";

/** From what a client asks for to how it is written. */
export function stepForm(step: ClientStep): LiveStep {
  switch (step.kind) {
    case "call":
      return { call: step.name, args: step.args as Json };
    case "list":
      return { list: step.table, query: step.query as Json };
    case "get":
      return { get: step.table, id: step.id, query: step.query as Json };
    case "create":
      return { create: step.table, value: step.value as Json };
    case "update":
      return { update: step.table, id: step.id, value: step.value as Json };
    case "delete":
      return { delete: step.table, id: step.id };
    default:
      return step satisfies never;
  }
}
