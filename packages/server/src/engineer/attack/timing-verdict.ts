// Whether two requests take different times, told from pairs of measurements. The median of the differences with an
// interval from order statistics (a sign test turned around): no assumption on how noise is distributed, and one
// slow answer in ten moves nothing. It says "different" only beyond a bound that a caller over a network can tell.

/** What pairs of measurements say. `open`: neither; more pairs, or a quieter machine, would tell. */
export interface TimingVerdict {
  readonly kind: "different" | "same" | "open";
  /** Median of the differences, in microseconds. */
  readonly differenceUs: number;
  /** The interval that holds the median but once in a thousand times. */
  readonly fromUs: number;
  readonly toUs: number;
}

/** 99.9 % of a normal distribution lie within this many deviations. */
const deviations = 3.29;

/**
 * Over the internet, differences from 15 to 100 us are told apart after some thousand requests (Crosby, Wallach,
 * Riedi 2009, "Opportunities and Limits of Remote Timing Attacks").
 */
const tellableUs = 100;
/** On a machine with other work everything takes longer, differences too: a part of the answer's time. */
const tellablePart = 0.25;

/**
 * @param differencesUs of pairs, in microseconds, at least 30.
 * @param typicalUs what such an answer takes.
 */
export function timingVerdict(differencesUs: readonly number[], typicalUs: number): TimingVerdict {
  const sorted = differencesUs.toSorted((a, b) => a - b);
  const count = sorted.length;
  const low = Math.max(0, Math.floor((count - deviations * Math.sqrt(count)) / 2));
  const fromUs = sorted[low] ?? -Infinity;
  const toUs = sorted[count - 1 - low] ?? Infinity;
  const bound = tellableBoundUs(typicalUs);
  const kind = kindOf(fromUs, toUs, bound);
  return { kind, differenceUs: medianOf(sorted), fromUs, toUs };
}

/** From how many microseconds on a difference counts. */
export function tellableBoundUs(typicalUs: number): number {
  return Math.max(tellableUs, typicalUs * tellablePart);
}

/** The middle of sorted numbers; 0 of none. */
export function medianOf(sorted: readonly number[]): number {
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function kindOf(fromUs: number, toUs: number, bound: number): TimingVerdict["kind"] {
  if (fromUs > bound || toUs < -bound) return "different";
  return fromUs >= -bound && toUs <= bound ? "same" : "open";
}
