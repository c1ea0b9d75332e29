// Transactions of webhooks, by name.
import type { Procedure } from "../gate/gate-app.ts";
import { beginHook, beginHookName } from "./hook-kind.ts";
import { receiveHook, receiveHookName, takeEvent } from "./hook-receive.ts";
import { replayForFunctions, replayHook, replayHookName } from "./hook-replay.ts";
import { listDeliveries, listEndpoints, listEvents } from "./webhook-list.ts";
import { addEndpoint, removeEndpoint, rotateSecret, switchEndpoint } from "./webhook-endpoint.ts";
import { beginWebhook, beginWebhookName } from "./webhook-kind.ts";
import { redeliver, sendWebhook } from "./webhook-send.ts";

/** For the writer, and those that functions may call. */
export const hookProcedures: readonly (readonly [name: string, procedure: Procedure])[] = [
  [receiveHookName, receiveHook],
  [beginHookName, { run: beginHook }],
  [replayHookName, replayHook],
  [beginWebhookName, { run: beginWebhook }],
  ["webhooks.take", takeEvent],
  ["webhooks.events", listEvents],
  ["webhooks.replay", replayForFunctions],
  ["webhooks.list", listEndpoints],
  ["webhooks.deliveries", listDeliveries],
  ["webhooks.add", addEndpoint],
  ["webhooks.remove", removeEndpoint],
  ["webhooks.switch", switchEndpoint],
  ["webhooks.rotate", rotateSecret],
  ["webhooks.send", sendWebhook],
  ["webhooks.redeliver", redeliver],
];
