// Asks over HTTP, at the addresses of docs/reference/http.md.
import type { LiveAsk } from "@keelson/sdk/live-protocol";
import type { Json } from "@keelson/sdk/spec";
import { openHttpClient, type Sending } from "../server/http-exchange.ts";
import { Lost, type Transport } from "./transport.ts";

/** @param isKept false: a connection for each request, so that requests go to all threads. */
export function httpTransport(url: string, token: string, isKept: boolean): Transport {
  const http = openHttpClient(isKept ? 1 : 4, isKept);
  return {
    async send(ask, { key, repeat = false }) {
      const sending = { ...sendingOf(ask), token, ...(key === undefined ? {} : { key }) };
      const { status, text } = await http
        .send(url, repeat ? { ...sending, isRepeat: true } : sending)
        .catch((error: unknown) => {
          throw new Lost((error as { readonly code?: string }).code !== "ECONNREFUSED");
        });
      const value = JSON.parse(text) as Json;
      if (status < 300) return { kind: "done", value, commit: null };
      return { kind: "refused", status, code: (value as { readonly code: string }).code };
    },
    close: () => http.close(),
  };
}

function sendingOf(ask: LiveAsk): Pick<Sending, "method" | "path" | "body"> {
  if ("steps" in ask) return { method: "POST", path: "/api/batch", body: ask };
  if ("call" in ask) {
    return { method: "POST", path: `/api/fn/${ask.call}`, body: ask.args ?? {} };
  }
  if ("list" in ask) {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(ask.query ?? {})) {
      query.set(name, Array.isArray(value) ? value.join() : text(value as Json));
    }
    return { method: "GET", path: `/api/tables/${ask.list}?${query}` };
  }
  if ("get" in ask) return { method: "GET", path: `/api/tables/${ask.get}/${ask.id}` };
  if ("create" in ask) {
    return { method: "POST", path: `/api/tables/${ask.create}`, body: ask.value };
  }
  if ("update" in ask) {
    return { method: "PATCH", path: `/api/tables/${ask.update}/${ask.id}`, body: ask.value };
  }
  return { method: "DELETE", path: `/api/tables/${ask.delete}/${ask.id}` };
}

function text(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
