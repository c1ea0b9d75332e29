// What one server has under way, for /metrics.
import type { HttpDoor } from "../doors/http-door.ts";
import { counter, gauge, type Gauge } from "../doors/http-metrics.ts";
import type { Backend } from "./backend.ts";
import type { HttpListener } from "./http-listener.ts";

/** Reads a server's queues. */
export function serverGauges(
  backend: Backend,
  door: HttpDoor,
  listener: HttpListener | null,
): readonly Gauge[] {
  const { writer, isolates } = backend;
  return [
    ...doorGauges(door, listener),
    ...writerGauges({
      waiting: writer.waiting(),
      answered: writer.answered(),
      groups: backend.groups(),
    }),
    isolateGauge(isolates.size),
  ];
}

/** What the writer has before it and behind it. */
export function writerGauges(writer: {
  readonly waiting: number;
  readonly answered: number;
  readonly groups: number;
}): readonly Gauge[] {
  return [
    gauge("keelson_writer_queue_jobs", "Writes accepted and not yet durable.", writer.waiting),
    counter(
      "keelson_writer_jobs_total",
      "Writes answered by this version of the app.",
      writer.answered,
    ),
    counter("keelson_writer_groups_total", "Groups that they were committed in.", writer.groups),
  ];
}

/** Isolates of one thread. */
export function isolateGauge(size: number): Gauge {
  return gauge("keelson_isolates", "Isolates alive.", size);
}

/** Reads what one door has under way. */
export function doorGauges(door: HttpDoor, listener: HttpListener | null): readonly Gauge[] {
  return [
    gauge("keelson_http_requests_in_flight", "Requests being answered.", door.inFlight()),
    gauge("keelson_http_connections", "Open connections.", listener?.connections() ?? 0),
    ...liveGauges(door),
  ];
}

function liveGauges(door: HttpDoor): readonly Gauge[] {
  const live = door.live();
  if (live === null) return [];
  const { connections, subscriptions, queries, pushes, sentBytes, slowReaders } = live.gauges;
  return [
    gauge("keelson_live_connections", "Live connections.", connections),
    gauge("keelson_live_subscriptions", "Live queries that they watch.", subscriptions),
    gauge("keelson_live_queries", "Distinct ones; each is run once for all.", queries),
    counter("keelson_live_pushes_total", "Pushes sent.", pushes),
    counter("keelson_live_sent_bytes_total", "Bytes sent on live connections.", sentBytes),
    counter(
      "keelson_live_slow_readers_total",
      "Live connections cut off because their client did not read.",
      slowReaders,
    ),
  ];
}
