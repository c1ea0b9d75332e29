// Lanes: where jobs lie in the index of `workJob`. Jobs that may run at once have a lane for each queue,
// priority and key, ordered by the commit that brought them: one tenant's million jobs lie beside those of the
// others, not before them. Jobs that wait for a time have one lane for each queue, ordered by that time.
//
// The signs sort before every character of a queue's name, so that the lanes of one queue lie together.
export const priorityMin = -4;
export const priorityMax = 4;

const readySign = "#";
const afterReady = "$";
const timedSign = "%";
const afterQueue = "&";

/** The lane of jobs that may run at once. Higher priorities sort first. */
export function readyLane(queue: string, priority: number, key: string | null): string {
  return `${queue}${readySign}${priorityMax - priority}${key === null ? "" : `${readySign}${key}`}`;
}

/** The lane of jobs that wait for a time; their places are milliseconds since the epoch. */
export function timedLane(queue: string): string {
  return `${queue}${timedSign}`;
}

/** Where the lanes of a queue's ready jobs begin and end (without the end). */
export function readyLanes(queue: string): { readonly from: string; readonly to: string } {
  return { from: `${queue}${readySign}`, to: `${queue}${afterReady}` };
}

/** From where on the lanes of other queues lie. */
export function afterLanes(queue: string): string {
  return `${queue}${afterQueue}`;
}

/** How many ranks there are: 0 is the highest priority. */
export const ranks = priorityMax - priorityMin + 1;

/** The rank of a lane of ready jobs. */
export function rankOfLane(queue: string, lane: string): number {
  return lane.charCodeAt(queue.length + 1) - 48;
}
