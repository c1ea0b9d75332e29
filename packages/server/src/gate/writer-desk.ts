// The writer's side of the doors' channels: takes messages of jobs, gives them to the writer of this thread,
// and sends back, for each group, one message of commits and one of answers to each door that has any. The
// commits go first: whoever gets an answer has been told of its commit.
import { assert } from "../base/assert.ts";
import { PlatformError } from "../base/platform-error.ts";
import { deepFreeze } from "../model/manifest-json.ts";
import type { Commit } from "../store/store.ts";
import type { Caller } from "./identity.ts";
import type { DirectWriter, JobEnd } from "./inline-writer.ts";
import { toPortableError } from "./portable-error.ts";
import { startWork, type Work } from "./work.ts";
import type { WriteJob, WriteResult } from "./writer.ts";
import {
  jobsOf,
  usedOf,
  type FromWriter,
  type JobAnswer,
  type NumberedJob,
  type ThreadLink,
  type ToWriter,
} from "./writer-messages.ts";

interface Door {
  readonly link: ThreadLink<FromWriter>;
  answers: JobAnswer[];
  texts: string[];
  /** By the door's numbers. */
  callers: Map<number, Caller>;
  wantsCommits: boolean;
}

/** What a desk needs. */
export interface WriterDeskParts {
  /** Newest commit of the store. */
  lastSeq(): number;
}

/** Serves doors in other threads. */
export class WriterDesk {
  readonly #parts: WriterDeskParts;
  readonly #doors = new Set<Door>();
  #writer: Pick<DirectWriter, "enqueue"> | null = null;
  #waiting = 0;
  #answered = 0;

  constructor(parts: WriterDeskParts) {
    this.#parts = parts;
  }

  /** Says which writer jobs go to: made with this desk's `groupEnded` and `publish`. */
  use(writer: Pick<DirectWriter, "enqueue">): void {
    this.#writer = writer;
  }

  /** Jobs accepted and not answered. */
  waiting(): number {
    return this.#waiting;
  }

  /** Jobs answered since the start. */
  answered(): number {
    return this.#answered;
  }

  /** A door that comes. @returns what to do with its messages, and when it goes. */
  open(link: ThreadLink<FromWriter>): {
    readonly receive: (message: ToWriter) => void;
    readonly close: () => void;
  } {
    const door: Door = { link, answers: [], texts: [], callers: new Map(), wantsCommits: false };
    this.#doors.add(door);
    return {
      receive: (message) => {
        if ("jobs" in message) this.#take(door, jobsOf(message.jobs));
        else if ("forgetCallers" in message) door.callers = new Map();
        else this.#feed(door, message.feed);
      },
      close: () => this.#doors.delete(door),
    };
  }

  /** The commits of a group that is durable. */
  readonly publish = (commits: readonly Commit[]): void => {
    const last = commits[commits.length - 1];
    if (last === undefined) return;
    let text: string | null = null;
    for (const { link, wantsCommits } of this.#doors) {
      if (!wantsCommits) continue;
      text ??= JSON.stringify(commits);
      link.post({ commits: text, seq: last.seq });
    }
  };

  /** Every job of a group has ended: sends the answers. */
  readonly groupEnded = (): void => {
    for (const door of this.#doors) this.#flush(door);
  };

  #feed(door: Door, isWanted: boolean): void {
    door.wantsCommits = isWanted;
    if (isWanted) door.link.post({ commits: "[]", seq: this.#parts.lastSeq() });
  }

  #take(door: Door, jobs: readonly NumberedJob[]): void {
    let isRefused = false;
    for (const [id, plain, number, who] of jobs) {
      if (who !== undefined) door.callers.set(number, deepFreeze(who));
      const caller = door.callers.get(number);
      assert(caller !== undefined, "a caller comes with its first job");
      const job: WriteJob = Object.assign(plain, { caller });
      const work = startWork();
      this.#waiting += 1;
      const end = new DoorEnd(id, door, work, this.#ended);
      try {
        if (this.#writer === null) throw new PlatformError("SHUTTING_DOWN");
        this.#writer.enqueue(job, work, end);
      } catch (error) {
        isRefused = true;
        end.reject(error);
      }
    }
    if (isRefused) this.#flush(door);
  }

  readonly #ended = (): void => {
    this.#waiting -= 1;
    this.#answered += 1;
  };

  #flush(door: Door): void {
    if (door.answers.length === 0) return;
    const { answers, texts } = door;
    door.answers = [];
    door.texts = [];
    door.link.post({ answers: JSON.stringify(answers), texts });
  }
}

/** Writes how a job of a door ended into what the door is told next. */
class DoorEnd implements JobEnd {
  readonly #id: number;
  readonly #door: Door;
  readonly #work: Work;
  readonly #ended: () => void;

  constructor(id: number, door: Door, work: Work, ended: () => void) {
    this.#id = id;
    this.#door = door;
    this.#work = work;
    this.#ended = ended;
  }

  resolve({ json, seq, repeated }: WriteResult): void {
    this.#ended();
    this.#door.texts.push(json);
    this.#door.answers.push([this.#id, seq, repeated ? 1 : 0, ...usedOf(this.#work)]);
  }

  reject(error: unknown): void {
    this.#ended();
    this.#door.answers.push([this.#id, -1, toPortableError(error), ...usedOf(this.#work)]);
  }
}
