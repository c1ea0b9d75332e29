// Replaying a workflow (pure: history in, decisions out). A workflow's function runs from its start at every tick;
// what it asks for is numbered in the order of asking, and answered from history in the order in which answers
// came in. What history does not hold yet is begun; when nothing is left to answer, the function is parked.
//
// Invariant: a function that asks for something else than what history holds is found out before anything of it
// is begun or recorded, and named.
import type { Later } from "../../base/later.ts";
import type { Json } from "../../base/json.ts";
import { PlatformError } from "../../base/platform-error.ts";

/** What a workflow can ask for. */
export type CommandKind = "step" | "sleep" | "event" | "signal" | "child";

/** What tells one command from another. */
export interface Asked {
  readonly kind: CommandKind;
  /** Of the function, event, signal or workflow; empty for a sleep. */
  readonly name: string;
  /** Of its arguments. */
  readonly hash: string;
}

/** A failure as a workflow is told of it. */
export interface WorkflowFailure {
  readonly code: string;
  readonly text: string;
  readonly details: Json;
}

/** What came of a command, or happened to the run. `atMs` is what the function's clock shows from then on. */
export type Delivery = { readonly atMs: number } & (
  | { readonly kind: "done"; readonly seq: number; readonly value: Json }
  | { readonly kind: "failed"; readonly seq: number; readonly error: WorkflowFailure }
  /** Cancelled, or out of time: all that is waited for ends with this error, but what undoes unless it is a stop. */
  | { readonly kind: "interrupt"; readonly error: WorkflowFailure; readonly isStop?: boolean }
);

/** What a run has been through. */
export interface History {
  /** By number, as they were asked. */
  readonly commands: readonly Asked[];
  /** In the order in which they came. */
  readonly deliveries: readonly Delivery[];
  /** Deliveries that the tick before has dealt with; null: there was none. */
  readonly seen: number | null;
  /** The number from which on there was no room for more; null: there is. */
  readonly fullAt: number | null;
}

/** What the engine asks of whoever keeps the history. */
export interface ReplayPorts {
  /**
   * Begins what was asked for and has no answer yet: for the first time, or again when it could not be begun.
   * @returns answers that are there now and were not before, in their order: its own, and what came with it.
   */
  begin(seq: number): Later<readonly Delivery[]>;
  /** Most commands of a run. */
  readonly commandsMax: number;
  /** Whether a run that asks for something new has kept as much as it may. */
  isFull(): boolean;
}

/** One replay of a run. */
export class Replay {
  readonly #history: History;
  readonly #ports: ReplayPorts;
  /** Those of history, then what came in this replay. */
  readonly #deliveries: Delivery[];
  readonly #asked: Asked[] = [];
  /** Asked and not answered, in order. */
  readonly #open = new Set<number>();
  /** Asked while it undoes what it did. */
  readonly #undoes = new Set<number>();
  readonly #begun = new Set<number>();
  #given = 0;
  #fullAt: number | null;
  #isOver = false;
  #mismatch: PlatformError | null = null;

  constructor(history: History, ports: ReplayPorts) {
    this.#history = history;
    this.#deliveries = [...history.deliveries];
    this.#fullAt = history.fullAt;
    this.#ports = ports;
  }

  /** Everything that was asked for so far, by number. */
  get asked(): readonly Asked[] {
    return this.#asked;
  }

  /** Answers given so far. */
  get given(): number {
    return this.#given;
  }

  /** From which number on what it asks for was refused, but what undoes what it did; null: nothing was. */
  get fullAt(): number | null {
    return this.#fullAt;
  }

  /** Whether the function has come to its end. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** What it did other than before, or null. */
  get mismatch(): PlatformError | null {
    return this.#mismatch;
  }

  /** What was asked for and waits. */
  get open(): ReadonlySet<number> {
    return this.#open;
  }

  /** Whether the function has been told of something new: only then it may do what it did not do before. */
  get isPast(): boolean {
    const { seen } = this.#history;
    return seen === null || this.#given > seen;
  }

  /**
   * The function asks for something.
   * @param isUndo asked while it undoes what it did: there is as much room for that again.
   * @returns its number. @throws WORKFLOW_NOT_DETERMINISTIC, WORKFLOW_TOO_LONG.
   */
  ask(asked: Asked, isUndo = false): number {
    this.#assertSame();
    const seq = this.#asked.length;
    const recorded = this.#history.commands[seq];
    this.#assertRoom(seq, { isNew: recorded === undefined, isUndo });
    if (recorded === undefined) {
      // It has been here before, and asked for nothing then.
      if (!this.isPast) throw this.#fail(seq, null, asked);
    } else if (!isSame(recorded, asked)) {
      throw this.#fail(seq, recorded, asked);
    }
    this.#asked.push(asked);
    this.#open.add(seq);
    if (isUndo) this.#undoes.add(seq);
    return seq;
  }

  /** What the function is told next; null: nothing, for now. */
  next(): Later<Delivery | null> {
    if (this.#isOver || this.#mismatch !== null) return null;
    const { commands } = this.#history;
    const delivery = this.#deliveries[this.#given];
    if (delivery === undefined) {
      const missing = commands[this.#asked.length];
      if (missing === undefined) return this.#beginNext();
      this.#fail(this.#asked.length, missing, null);
      return null;
    }
    if (delivery.kind !== "interrupt" && !this.#open.has(delivery.seq)) {
      // Answered, and never asked for.
      this.#fail(delivery.seq, commands[delivery.seq] ?? null, null);
      return null;
    }
    this.#given++;
    if (delivery.kind === "interrupt") this.#interrupt(delivery.isStop === true);
    else this.#open.delete(delivery.seq);
    return delivery;
  }

  /** The function has come to its end: nothing more is begun. */
  end(): void {
    this.#isOver = true;
  }

  /**
   * After the last slice.
   * @throws WORKFLOW_NOT_DETERMINISTIC when it did not come as far as it had come before.
   */
  assertWhole(): void {
    this.#assertSame();
    const { commands } = this.#history;
    const missing = commands[this.#asked.length];
    if (missing !== undefined) throw this.#fail(this.#asked.length, missing, null);
    if (this.#isOver && !this.isPast) throw this.#fail(this.#asked.length, null, null);
  }

  /** Refused once, it is refused at the same place in every replay. */
  #assertRoom(
    seq: number,
    { isNew, isUndo }: { readonly isNew: boolean; readonly isUndo: boolean },
  ): void {
    const { commandsMax } = this.#ports;
    if (isUndo) {
      if (isNew && seq >= 2 * commandsMax) throw tooLong(commandsMax);
      return;
    }
    if (isNew && (seq >= commandsMax || this.#ports.isFull())) this.#fullAt ??= seq;
    if (this.#fullAt !== null && seq >= this.#fullAt) throw tooLong(commandsMax);
  }

  #interrupt(isStop: boolean): void {
    for (const seq of this.#open) if (isStop || !this.#undoes.has(seq)) this.#open.delete(seq);
  }

  #assertSame(): void {
    if (this.#mismatch !== null) throw this.#mismatch;
  }

  #beginNext(): Later<Delivery | null> {
    for (const seq of this.#open) {
      if (this.#begun.has(seq)) continue;
      this.#begun.add(seq);
      const came = this.#ports.begin(seq);
      if (came instanceof Promise) return came.then((later) => this.#came(later));
      if (came.length > 0) return this.#came(came);
    }
    return null;
  }

  #came(deliveries: readonly Delivery[]): Later<Delivery | null> {
    this.#deliveries.push(...deliveries);
    return this.next();
  }

  #fail(seq: number, recorded: Asked | null, asked: Asked | null): PlatformError {
    this.#mismatch ??= new PlatformError("WORKFLOW_NOT_DETERMINISTIC", {
      step: seq,
      recorded: shown(recorded),
      asked: shown(asked),
    });
    return this.#mismatch;
  }
}

function tooLong(workflowStepsMax: number): PlatformError {
  return new PlatformError("WORKFLOW_TOO_LONG", { workflowStepsMax });
}

function isSame(left: Asked, right: Asked): boolean {
  return left.kind === right.kind && left.name === right.name && left.hash === right.hash;
}

/** `step cinema.charge`, with the hash of its arguments: that alone may differ. */
function shown(asked: Asked | null): Json {
  if (asked === null) return null;
  const { kind, name, hash } = asked;
  return `${kind}${name === "" ? "" : ` ${name}`} (arguments ${hash})`;
}
