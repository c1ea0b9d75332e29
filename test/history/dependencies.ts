// Who must have come before whom, as Adya's dependencies (Generalized Isolation Level Definitions, ICDE 2000) and Elle
// (Kingsbury and Alvaro, VLDB 2020) infer them.

/**
 * Why one comes before the other. `ww`: it wrote the version before. `wr`: it wrote what the other read. `rw`: it read the
 * version before the one that the other wrote. `session`: the same client did it before. `commit`: by the numbers that the
 * server told. `time`: it was answered before the other was sent.
 */
export type DependencyKind = "ww" | "wr" | "rw" | "session" | "commit" | "time";

/** An edge between two operations, by their places in the history. */
export interface Dependency {
  readonly from: number;
  readonly to: number;
  readonly kind: DependencyKind;
  /** What it is about; absent: not about a key. */
  readonly key?: string;
}

/** What the operations on the keys of one kind tell. */
export interface Inferred {
  readonly dependencies: readonly Dependency[];
  readonly violations: readonly { readonly name: string; readonly text: string }[];
}
