// What one server has under way, for /metrics.
import type { Gauge } from "../doors/http-metrics.ts";
import type { HttpDoor } from "../doors/http-door.ts";
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
    gauge("keelson_writer_queue_jobs", "Writes accepted and not yet durable.", writer.waiting()),
    counter(
      "keelson_writer_jobs_total",
      "Writes answered by this version of the app.",
      writer.answered(),
    ),
    counter("keelson_writer_groups_total", "Groups that they were committed in.", backend.groups()),
    gauge("keelson_isolates", "Isolates alive.", isolates.size),
  ];
}

/** Reads what one door has under way. */
export function doorGauges(door: HttpDoor, listener: HttpListener | null): readonly Gauge[] {
  return [
    gauge("keelson_http_requests_in_flight", "Requests being answered.", door.inFlight()),
    gauge("keelson_http_connections", "Open connections.", listener?.connections() ?? 0),
  ];
}

function gauge(name: string, help: string, value: number): Gauge {
  return { name, help, type: "gauge", value };
}

function counter(name: string, help: string, value: number): Gauge {
  return { name, help, type: "counter", value };
}
