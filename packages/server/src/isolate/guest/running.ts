// The calls that run in this isolate, and which of them user code runs for right now. One slice belongs to
// one call: the host enters the isolate for a call, and leaves it when nothing is left to do.
import { find, part } from "./primordials.ts";
import { RowsAhead } from "./rows-ahead.ts";
import { SeededRandom } from "./seeded-random.ts";

/** A function's kind. */
export type CallKind = "query" | "mutation" | "action" | "http" | "workflow";

/** One call. */
export class Call {
  readonly id: number;
  readonly kind: CallKind;
  /** A workflow's moves on with what it is told. */
  nowMs: number;
  /** A workflow that does what it did before: it logs nothing. */
  isQuiet = false;
  readonly requestId: string;
  /** The job that it runs for: `id token attempt`, or empty. */
  readonly job: string;
  readonly meJson: string;
  readonly argsJson: string;
  readonly hosts: boolean;
  /** Rows that came along; null: none did. */
  readonly ahead: RowsAhead | null;
  logLines = 0;
  #seed: string;
  #random: SeededRandom | null = null;

  /**
   * @param input `nowMs`, the request's id (and a job, after a tab), the seed, `me` and the arguments as JSON, each on a line.
   * @param aheadAt where rows begin that were sent along; 0: none were.
   */
  constructor(id: number, kind: CallKind, input: string, aheadAt: number) {
    const first = find(input, "\n");
    const second = find(input, "\n", first + 1);
    const third = find(input, "\n", second + 1);
    const fourth = find(input, "\n", third + 1);
    this.id = id;
    this.kind = kind;
    this.nowMs = +part(input, 0, first);
    const request = part(input, first + 1, second);
    const tab = find(request, "\t");
    this.requestId = tab < 0 ? request : part(request, 0, tab);
    this.job = tab < 0 ? "" : part(request, tab + 1);
    this.#seed = part(input, second + 1, third);
    this.meJson = part(input, third + 1, fourth);
    this.argsJson = aheadAt === 0 ? part(input, fourth + 1) : part(input, fourth + 1, aheadAt - 1);
    this.ahead = aheadAt === 0 ? null : new RowsAhead(part(input, aheadAt));
    this.hosts = kind === "action" || kind === "http";
  }

  /** Numbers of this call's seed. */
  get random(): SeededRandom {
    return (this.#random ??= new SeededRandom(this.#seed));
  }
}

let running: Call | null = null;

/** The call that user code runs for, or null while the app is loaded. */
export function runningCall(): Call | null {
  return running;
}

/** The host enters for this call. */
export function enter(call: Call): void {
  running = call;
}

/** The call, for something that only a call may do. @throws TypeError while the app is loaded. */
export function callFor(what: string): Call {
  if (running !== null) return running;
  throw new TypeError(`${what} can be used inside functions only, not while the app is loaded.`);
}
