// Tells requests of this machine from all others, for addresses that are for whoever sits at it.
import type { HttpExchange } from "./http-exchange.ts";

/** Whether it came from this machine itself. One that came through a proxy on this machine did not. */
export function isLocal({ head, request }: HttpExchange): boolean {
  return !head.forwarded && isLoopback(request.socket.remoteAddress ?? "");
}

/**
 * Whether it was sent to a name of this machine, and not by a page of another one: a page elsewhere can make
 * this machine's browser send requests, under a name of its own that leads here (DNS rebinding) too.
 */
export function isFromLocalPage({ head }: HttpExchange): boolean {
  if (!isLocalName(`http://${head.host ?? ""}`)) return false;
  return head.origin === null || isLocalName(head.origin);
}

function isLoopback(address: string): boolean {
  return address === "::1" || address.startsWith("127.") || address.startsWith("::ffff:127.");
}

function isLocalName(origin: string): boolean {
  if (!URL.canParse(origin)) return false;
  const { hostname } = new URL(origin);
  return hostname === "localhost" || hostname === "[::1]" || /^127(?:\.\d+){3}$/v.test(hostname);
}
