// Whether one operation is known to have come before another from what clients saw of time and commits alone.
import type { Operation } from "./history.ts";

export function isBefore(first: Operation, second: Operation): boolean {
  const { endUs, commit } = first;
  if (endUs !== null && second.startUs !== null && endUs < second.startUs) return true;
  return commit !== null && second.commit !== null && commit < second.commit;
}
