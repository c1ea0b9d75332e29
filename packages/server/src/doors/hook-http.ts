// `POST /hooks/{name}`: the raw body and headers of a webhook go to connect/hook-door.ts, as they came.
import { PlatformError } from "../base/platform-error.ts";
import { admitHook, takeHook, type HookDesk } from "../connect/hook-door.ts";
import type { HttpAnswerer } from "./http-answer.ts";
import type { HttpAsker } from "./http-ask.ts";
import type { HttpExchange } from "./http-exchange.ts";
import { decodePart } from "./http-target.ts";
import { toldRequest } from "./http-told.ts";

/** Where all webhooks come in. */
export const hooksPrefix = "/hooks/";

/** What the desk of a request is made from. */
export interface HookHttpParts {
  readonly answerer: HttpAnswerer;
  readonly asker: HttpAsker;
}

/**
 * Answers a webhook: 200 once it is on disk.
 * @param path begins with hooksPrefix. @throws NOT_FOUND, RATE_LIMITED.
 */
export function answerHook(
  { answerer, asker }: HookHttpParts,
  exchange: HttpExchange,
  {
    method,
    path,
    desk,
  }: { readonly method: string; readonly path: string; readonly desk: HookDesk },
): void {
  exchange.route = "hook";
  const name = decodePart(path.slice(hooksPrefix.length));
  if (method !== "POST") {
    answerer.refuse(exchange, new PlatformError("METHOD_NOT_ALLOWED"), ["allow", "POST"]);
    return;
  }
  const sender = { requestId: exchange.requestId, address: asker.addressOf(exchange) };
  admitHook(desk, name, sender);
  exchange.told = toldRequest(`POST ${hooksPrefix}${name}`);
  asker.withBody(exchange, (body) => {
    const delivery = { headers: headersOf(exchange), body };
    const taken = takeHook(desk, name, delivery, sender);
    asker.later(exchange, taken, ({ repeats }) => {
      answerer.json(exchange, 200, JSON.stringify({ received: true, repeats }));
    });
  });
}

function headersOf({ request }: HttpExchange): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return headers;
}
