// What reading a function is made of: what is known of it in the end, and what the parts of the reader (calls,
// expressions) need of the whole.
import type { FunctionLike, SourceFile, SourceSet } from "../../model/rule-source.ts";
import type { FunctionSource } from "./function-source.ts";
import type {
  DbOp,
  EffectOp,
  Elevation,
  FetchOp,
  Loop,
  Origin,
  RunOp,
  Scope,
  Value,
  WorkOp,
} from "./flow-value.ts";
import type { Expression, Node } from "./syntax.ts";

/** What is known of a function. */
export interface FunctionFlow {
  readonly source: FunctionSource;
  readonly db: readonly DbOp[];
  readonly runs: readonly RunOp[];
  readonly works: readonly WorkOp[];
  readonly fetches: readonly FetchOp[];
  readonly elevations: readonly Elevation[];
  /** What it answers, one for each `return`. */
  readonly answers: readonly {
    readonly file: SourceFile;
    readonly node: Node;
    readonly value: Value;
  }[];
  /** Calls whose promise nobody waits for. */
  readonly floating: readonly EffectOp[];
  /** Calls of `slice` with what it was called on and by what. */
  readonly slices: readonly {
    readonly file: SourceFile;
    readonly node: Node;
    readonly from: Value;
    readonly by: Value;
  }[];
  /** What was printed. */
  readonly logs: readonly {
    readonly file: SourceFile;
    readonly node: Node;
    readonly values: readonly Value[];
  }[];
  /** Whether the caller is looked at before or while something is done: a condition, a filter, a check elsewhere. */
  readonly looksAtCaller: boolean;
  /** Origins of all conditions. */
  readonly tested: ReadonlySet<Origin>;
}

type Writable<T> = { -readonly [P in keyof T]: T[P] extends readonly (infer E)[] ? E[] : T[P] };

/** A flow while it is read. */
export type FlowNotes = Writable<FunctionFlow>;

/** The reader as its parts see it. */
export interface FlowWalker {
  readonly sources: SourceSet;
  readonly flow: FlowNotes;
  readonly tested: ReadonlySet<Origin>;
  /** The file that is being read. */
  readonly file: SourceFile;
  /** The loops around what is being read, outermost first. */
  readonly loops: readonly Loop[];
  /** What an expression is. */
  expression(node: Expression, scope: Scope): Value;
  /** `value.name`. */
  member(value: Value, name: string): Value;
  /** Calls a function of the app with values. @returns what it answers, or null when it is too deep. */
  call(
    fn: { readonly node: FunctionLike; readonly file: SourceFile; readonly scope: Scope },
    args: readonly Value[],
  ): Value | null;
  /** Does something inside a loop. */
  within(loop: Loop, run: () => Value): Value;
  /** Notes that a condition looked at a value. */
  test(value: Value): void;
  /** A number for the next call on the world. */
  nextIndex(): number;
}
