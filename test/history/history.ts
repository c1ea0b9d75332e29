// A history: what clients asked, when, and what they were told. The checker is given nothing else.

/** One thing that a transaction did, or saw. Values of one key are unique. */
export type Step =
  | { readonly kind: "append"; readonly key: string; readonly value: number }
  /** Saw all of a list. */
  | { readonly kind: "list"; readonly key: string; readonly values: readonly number[] }
  | {
      readonly kind: "write";
      readonly key: string;
      readonly value: number;
      /** It may have changed nothing: it depends on what was there. Of one that was answered, it is known. */
      readonly isConditional?: true;
    }
  /** Saw a register; null: nobody has written it. */
  | { readonly kind: "register"; readonly key: string; readonly value: number | null }
  | { readonly kind: "add"; readonly key: string; readonly value: number }
  | { readonly kind: "remove"; readonly key: string; readonly value: number }
  /** Saw all of a set. */
  | { readonly kind: "set"; readonly key: string; readonly values: readonly number[] }
  /** Saw, or did not see, what only those may see whose register of this key is even. */
  | { readonly kind: "secret"; readonly key: string; readonly isShown: boolean };

/** A step that changes something. */
export type WriteStep = Extract<Step, { kind: "append" | "write" | "add" | "remove" }>;

/** One transaction of a client, or one state that its live queries showed. */
export interface Operation {
  /** Does one thing after the other. */
  readonly client: string;
  /** For people. */
  readonly what: string;
  /** `shown`: what all live queries of a client showed, together. */
  readonly kind: "call" | "shown";
  /** When it was sent, in microseconds of one clock for all clients. Null, of what is shown: it may be of any time. */
  readonly startUs: number | null;
  /** When it was answered, or shown; null: never. */
  readonly endUs: number | null;
  /** `unknown`: nobody was told whether it happened. `refused`: it did not. */
  readonly outcome: "done" | "refused" | "unknown";
  /** The commit that it made or stood on, when it was told. */
  readonly commit: number | null;
  /** Of one that was refused, or is unknown: its writes. */
  readonly steps: readonly Step[];
  /** Whatever was answered to it, when it was sent more than once; without what is the same. */
  readonly answers?: readonly string[];
  /** The one live connection that carried it. */
  readonly connection?: string;
}

export function isWrite(step: Step): step is WriteStep {
  switch (step.kind) {
    case "append":
    case "write":
    case "add":
    case "remove":
      return true;
    case "list":
    case "register":
    case "set":
    case "secret":
      return false;
    default:
      return step satisfies never;
  }
}

/** What must not be, and what shows it. */
export interface Violation {
  /** `lost-update`, `stale-read`, ... */
  readonly name: string;
  /** For people: the operations, a line each. */
  readonly text: string;
}

/** An operation in a line. @param keys what it is about; others are counted. Default: all. */
export function told(operation: Operation, keys?: readonly string[]): string {
  const { client, what, startUs, endUs, outcome, commit, steps } = operation;
  const from = startUs === null ? "?" : (startUs / 1_000).toFixed(3);
  const to = endUs === null ? "?" : (endUs / 1_000).toFixed(3);
  const about = steps.filter(({ key }) => keys?.includes(key) !== false);
  const rest = steps.length - about.length;
  const said = [...about.map(toldStep), ...(rest === 0 ? [] : [`${rest} more`])].join(", ");
  const more = `${outcome === "done" ? "" : ` ${outcome}`}${commit === null ? "" : ` commit ${commit}`}`;
  return `${client} ${what} [${from} to ${to} ms]${more}: ${said}`;
}

function toldStep(step: Step): string {
  const { kind, key } = step;
  if (kind === "secret") return `${key} ${step.isShown ? "shows" : "hides"} secrets`;
  if (kind !== "list" && kind !== "set") return `${kind} ${key} ${step.value}`;
  const { values } = step;
  const last = values.slice(-6).join(" ");
  return `${kind} ${key} (${values.length}) ${values.length > 6 ? "... " : ""}${last}`;
}
