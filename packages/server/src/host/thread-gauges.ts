// Numbers of several threads as one number each, in the order in which they first came.
import type { Gauge } from "../doors/http-metrics.ts";
import type { ThreadGauges } from "./thread-start.ts";

/** Adds up what adds up and takes the largest of the rest. */
export function mergeGauges(threads: readonly ThreadGauges[]): readonly Gauge[] {
  const merged = new Map<string, Gauge>();
  for (const { sum, max } of threads) {
    for (const gauge of sum) put(gauge, (value) => value + gauge.value);
    for (const gauge of max) put(gauge, (value) => Math.max(value, gauge.value));
  }
  return [...merged.values()];

  function put(gauge: Gauge, join: (value: number) => number): void {
    const known = merged.get(gauge.name);
    merged.set(gauge.name, known === undefined ? gauge : { ...gauge, value: join(known.value) });
  }
}
