// What crosses between a door's thread and the writer's. Everything of one turn goes in one message, as JSON
// text: for batches of small objects that is half the time of a structured clone. Answers are not wrapped in
// it a second time: they travel beside it as they are.
import type { Commit } from "../store/store.ts";
import type { Caller } from "./identity.ts";
import type { PortableError } from "./portable-error.ts";
import type { Work } from "./work.ts";
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

/** A job's end. `json` stands in the texts beside it, one for each that is done, in order. */
export type JobAnswer =
  | { readonly id: number; readonly seq: number; readonly repeated: boolean; readonly work: Work }
  | { readonly id: number; readonly error: PortableError; readonly work: Work };

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
