// A mistake in an app's definition, found when its modules are evaluated. Its stack starts at the line
// that a person wrote (the SDK's own frames are cut), so that a reader of the stack can show that line.

/** Where a definition was made: an object that carries a `stack`. */
export interface DefinitionPlace {
  readonly stack?: string | undefined;
}

type Capture = (target: object, above: Function) => void;
const capture = (Error as { captureStackTrace?: Capture }).captureStackTrace;

/** Remembers the caller's line for a mistake that can be told only later. @param above the SDK's function that was called. */
export function definitionPlace(above: Function): DefinitionPlace {
  if (capture === undefined) return new Error("place");
  const place: DefinitionPlace = {};
  capture(place, above);
  return place;
}

/**
 * A mistake in the app. `problem` says what is wrong, `fix` what to write instead; each is a sentence.
 * The first frame of `stack` is the user's own call.
 */
export class DefinitionError extends Error {
  override readonly name = "DefinitionError";
  readonly problem: string;
  readonly fix: string;

  /** @param at the SDK's function that the user called, or the place where the mistaken part was made. */
  constructor(problem: string, fix: string, at: Function | DefinitionPlace) {
    super(`${problem} ${fix}`);
    this.problem = problem;
    this.fix = fix;
    if (typeof at === "function") {
      capture?.(this, at);
      return;
    }
    const frames = at.stack?.slice(at.stack.indexOf("\n") + 1);
    if (frames !== undefined) this.stack = `DefinitionError: ${this.message}\n${frames}`;
  }
}
