// What crosses between a door's thread and the writer's. Everything of one turn goes in one message, as JSON
// text: for batches of small objects that is half the time of a structured clone. Answers are not wrapped in
// it a second time: they travel beside it as they are.
import type { Commit } from "../store/store.ts";
import type { Caller } from "./identity.ts";
import type { PortableError } from "./portable-error.ts";
import { startWork, type Work } from "./work.ts";
import type { WriteJob } from "./writer.ts";

/** A job without its caller. */
export type PlainJob = Omit<WriteJob, "caller">;

/**
 * A job and its number, which the door chose and the answer repeats. Its caller is a number too, of the door's
 * own; who that is comes with the first job. So a caller is one object in the writer's thread as well, which is
 * what rights are remembered by.
 */
export type NumberedJob =
  | readonly [id: number, job: PlainJob, caller: number]
  | readonly [id: number, job: PlainJob, caller: number, who: Caller];

/**
 * A job's end, without names: most of a group's answers would be names. The JSON of one that is done stands in the
 * texts beside it, one for each, in order. A third place that is no number is the error of one that failed.
 */
export type JobAnswer =
  | readonly [id: number, seq: number, repeated: 0 | 1, ...used: UsedWork]
  | readonly [id: number, seq: -1, error: PortableError, ...used: UsedWork];

/** What a job used; the notes of one that has any. */
type UsedWork = readonly [
  rowsRead: number,
  rowsWritten: number,
  systemCalls: number,
  cpuUs: number,
  notes?: Notes,
];
type Notes = Pick<Work, "queries" | "elevations" | "denials" | "log">;

/** From a door to the writer. */
export type ToWriter =
  /** JSON of NumberedJob[]. */
  | { readonly jobs: string }
  /** The numbers of callers begin anew. */
  | { readonly forgetCallers: true }
  /** Whether commits are to be sent. Answered with a message of commits, perhaps empty, when they are. */
  | { readonly feed: boolean };

/** From the writer to a door. */
export type FromWriter =
  /** JSON of JobAnswer[], and the answers of those that are done. */
  | { readonly answers: string; readonly texts: readonly string[] }
  /** JSON of Commit[], and the newest commit there is. */
  | { readonly commits: string; readonly seq: number };

/** One end of a channel between two threads. Messages arrive whole and in order. */
export interface ThreadLink<Out> {
  post(message: Out): void;
}

/** @returns what a job used, as it crosses. */
export function usedOf(work: Work): UsedWork {
  const { rowsRead, rowsWritten, systemCalls, cpuUs, queries, elevations, denials, log } = work;
  if (queries === null && elevations === null && denials === null && log === null) {
    return [rowsRead, rowsWritten, systemCalls, cpuUs];
  }
  return [rowsRead, rowsWritten, systemCalls, cpuUs, { queries, elevations, denials, log }];
}

/** @returns the same, as it was. */
export function workOf([rowsRead, rowsWritten, systemCalls, cpuUs, notes]: UsedWork): Work {
  return { ...startWork(), rowsRead, rowsWritten, systemCalls, cpuUs, ...notes };
}

/** @returns the jobs of a message. */
export function jobsOf(text: string): readonly NumberedJob[] {
  return JSON.parse(text) as readonly NumberedJob[];
}

/** @returns the ends of a message. */
export function answersOf(text: string): readonly JobAnswer[] {
  return JSON.parse(text) as readonly JobAnswer[];
}

/** @returns the commits of a message. */
export function commitsOf(text: string): readonly Commit[] {
  return JSON.parse(text) as readonly Commit[];
}
