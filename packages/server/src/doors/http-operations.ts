// The addresses for whoever runs the server: is the process there, does it take work, what does it do.
// The metrics tell names of routes and amounts of traffic: they are for this machine and for token holders.
import { createHash, timingSafeEqual } from "node:crypto";
import { andThen, type Later } from "../base/later.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { HttpAnswerer } from "./http-answer.ts";
import type { HttpExchange } from "./http-exchange.ts";
import { isLocal } from "./http-local.ts";
import type { Gauge, HttpMetrics } from "./http-metrics.ts";

/** What the operations' addresses need. */
export interface HttpOperationsParts {
  readonly answerer: HttpAnswerer;
  readonly metrics: HttpMetrics;
  /** A bearer token that reads the metrics from anywhere; null: only this machine reads them. */
  readonly metricsToken: string | null;
  /** Whether all parts of the server are there. Fails as the store does, when it does not answer. */
  isReady(): Later<boolean>;
  isDraining(): boolean;
  gauges(): Later<readonly Gauge[]>;
}

const metricsType = "text/plain; version=0.0.4; charset=utf-8";

/** Answers `/healthz`, `/readyz` and `/metrics`. */
export function answerOperations(
  parts: HttpOperationsParts,
  exchange: HttpExchange,
  kind: "health" | "ready" | "metrics",
): void {
  const { answerer } = parts;
  switch (kind) {
    case "health":
      answerer.json(exchange, 200, '{"status":"ok"}');
      return;
    case "ready":
      answerReady(parts, exchange);
      return;
    case "metrics":
      if (!mayReadMetrics(parts.metricsToken, exchange)) throw new PlatformError("NOT_FOUND");
      answerMetrics(parts, exchange);
      return;
    default:
      kind satisfies never;
  }
}

function answerMetrics(parts: HttpOperationsParts, exchange: HttpExchange): void {
  const { answerer, metrics } = parts;
  const headers = ["content-type", metricsType, "cache-control", "no-store"];
  const answered = andThen(parts.gauges(), (gauges) =>
    answerer.raw(exchange, 200, headers, metrics.text(gauges)),
  );
  if (answered instanceof Promise) {
    answered.catch((error: unknown) => answerer.refuse(exchange, error));
  }
}

function answerReady(parts: HttpOperationsParts, exchange: HttpExchange): void {
  const { answerer } = parts;
  const reply = (isReady: boolean) => {
    if (isReady) answerer.json(exchange, 200, '{"status":"ok"}');
    else answerer.refuse(exchange, new PlatformError("NOT_READY"));
  };
  if (parts.isDraining()) throw new PlatformError("SHUTTING_DOWN");
  const ready = andThen(parts.isReady(), reply);
  if (ready instanceof Promise) ready.catch((error: unknown) => answerer.refuse(exchange, error));
}

function mayReadMetrics(token: string | null, exchange: HttpExchange): boolean {
  const { head } = exchange;
  if (token !== null && head.authorization !== null)
    return isSame(head.authorization, `Bearer ${token}`);
  return isLocal(exchange);
}

/** Compares in a time that does not tell how much is right. */
function isSame(given: string, wanted: string): boolean {
  return timingSafeEqual(digest(given), digest(wanted));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
