// What the client needs of a WebSocket: what browsers, Node and the package `ws` all have.

/** A connection, from a class like the browser's WebSocket. */
export interface LiveWebSocket {
  send(text: string): void;
  close(code?: number, reason?: string): void;
  addEventListener(kind: "open" | "error", listener: () => void): void;
  addEventListener(kind: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(kind: "close", listener: (event: { readonly code: number }) => void): void;
}

/** A class like the browser's WebSocket. */
export type LiveWebSocketClass = new (url: string, protocol: string) => LiveWebSocket;

/**
 * The address of the live door. @param url where the server is, as `createClient` takes it.
 * @param page the address of the page, for a relative `url`; undefined where there is none.
 * @throws TypeError when it is no address.
 */
export function liveUrl(url: string, page: string | undefined): string {
  const address = new URL(`${url.replace(/\/+$/, "")}/api/live`, page);
  if (address.protocol === "http:") address.protocol = "ws:";
  if (address.protocol === "https:") address.protocol = "wss:";
  return address.href;
}
