// Counters and durations of the HTTP door, written in Prometheus' text format (version 0.0.4). Counting is
// on every request's path: a few additions, no text, no allocation. Threads that serve the same address count
// in memory that they share, each in a part of its own, so that any of them can tell the sum and a thread that
// is replaced loses nothing.

/** What kind of address a request went to: few and fixed, so that the number of series is too. */
export const routeClasses = [
  "call",
  "list",
  "get",
  "create",
  "update",
  "delete",
  "batch",
  "http",
  "hook",
  "auth",
  "static",
  "openapi",
  "operations",
  "other",
] as const;

/** One of routeClasses. */
export type RouteClass = (typeof routeClasses)[number];

/** A number read when somebody asks: queue lengths, memory. */
export interface Gauge {
  /** `keelson_` and the unit in the name, as Prometheus asks. */
  readonly name: string;
  readonly help: string;
  readonly type: "gauge" | "counter";
  readonly value: number;
}

/** A number that goes up and down. */
export function gauge(name: string, help: string, value: number): Gauge {
  return { name, help, type: "gauge", value };
}

/** A number that only grows while the process lives. */
export function counter(name: string, help: string, value: number): Gauge {
  return { name, help, type: "counter", value };
}

/** Counts what a door answers. */
export interface HttpMetrics {
  /** @param status 499 when the client went away first. @param durationUs from the headers' end to the answer's. */
  count(route: RouteClass, status: number, durationUs: number): void;
  /** The text for a scrape. */
  text(gauges: readonly Gauge[]): string;
}

/** Upper bounds of the histogram, microseconds. */
const bucketsUs = [
  100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000,
  10_000_000,
];

/** A part, for one route: buckets (one more than bucketsUs, for everything longer), their sum, answers by status. */
const sumIndex = bucketsUs.length + 1;
const statusIndex = sumIndex + 1;
const statusesMax = 600;
const routeWords = statusIndex + statusesMax;
const partWords = routeWords * routeClasses.length;

/** Memory of several threads' counters. @param parts how many threads count. */
export function httpMetricsMemory(parts: number): SharedArrayBuffer {
  return new SharedArrayBuffer(parts * partWords * Float64Array.BYTES_PER_ELEMENT);
}

/**
 * Opens counters.
 * @param shared memory of httpMetricsMemory, and which part is this thread's alone. Default: of its own, at zero.
 */
export function openHttpMetrics(
  shared: { readonly memory: SharedArrayBuffer; readonly part: number } = {
    memory: httpMetricsMemory(1),
    part: 0,
  },
): HttpMetrics {
  const all = new Float64Array(shared.memory);
  const own = all.subarray(shared.part * partWords, (shared.part + 1) * partWords);
  const indexes = new Map(routeClasses.map((route, index) => [route, index * routeWords]));
  const add = (index: number, by: number) => {
    own[index] = (own[index] as number) + by;
  };
  return {
    count(route, status, durationUs) {
      const from = indexes.get(route) as number;
      add(from + bucketOf(durationUs), 1);
      add(from + sumIndex, durationUs);
      add(from + statusIndex + Math.min(status, statusesMax - 1), 1);
    },
    text(gauges) {
      const routes = countsOf(all);
      return `${requestLines(routes)}${durationLines(routes)}${gaugeLines(gauges)}`;
    },
  };
}

interface RouteCounts {
  readonly byStatus: ReadonlyMap<number, number>;
  readonly buckets: readonly number[];
  readonly sumUs: number;
}

/** The counts of all parts together. */
function countsOf(all: Float64Array): ReadonlyMap<RouteClass, RouteCounts> {
  const sumAt = (index: number) => {
    let sum = 0;
    for (let at = index; at < all.length; at += partWords) sum += all[at] as number;
    return sum;
  };
  const countsFrom = (from: number): RouteCounts => {
    const byStatus = new Map<number, number>();
    for (let status = 0; status < statusesMax; status++) {
      const count = sumAt(from + statusIndex + status);
      if (count > 0) byStatus.set(status, count);
    }
    const buckets = Array.from({ length: sumIndex }, (_, bucket) => sumAt(from + bucket));
    return { byStatus, buckets, sumUs: sumAt(from + sumIndex) };
  };
  return new Map(routeClasses.map((route, index) => [route, countsFrom(index * routeWords)]));
}

function bucketOf(durationUs: number): number {
  let bucket = 0;
  while (bucket < bucketsUs.length && durationUs > (bucketsUs[bucket] as number)) bucket += 1;
  return bucket;
}

function requestLines(routes: ReadonlyMap<RouteClass, RouteCounts>): string {
  const lines = [
    "# HELP keelson_http_requests_total Requests answered.",
    "# TYPE keelson_http_requests_total counter",
  ];
  for (const [route, counts] of routes) {
    for (const [status, count] of counts.byStatus) {
      lines.push(`keelson_http_requests_total{route="${route}",status="${status}"} ${count}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

function durationLines(routes: ReadonlyMap<RouteClass, RouteCounts>): string {
  const name = "keelson_http_request_duration_seconds";
  const lines = [
    `# HELP ${name} From the request's headers to its answer.`,
    `# TYPE ${name} histogram`,
  ];
  for (const [route, counts] of routes) {
    if (counts.byStatus.size === 0) continue;
    let total = 0;
    bucketsUs.forEach((boundUs, index) => {
      total += counts.buckets[index] ?? 0;
      lines.push(`${name}_bucket{route="${route}",le="${boundUs / 1e6}"} ${total}`);
    });
    total += counts.buckets[bucketsUs.length] ?? 0;
    lines.push(`${name}_bucket{route="${route}",le="+Inf"} ${total}`);
    lines.push(`${name}_sum{route="${route}"} ${counts.sumUs / 1e6}`);
    lines.push(`${name}_count{route="${route}"} ${total}`);
  }
  return `${lines.join("\n")}\n`;
}

function gaugeLines(gauges: readonly Gauge[]): string {
  return gauges
    .map(
      ({ name, help, type, value }) =>
        `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name} ${value}\n`,
    )
    .join("");
}
