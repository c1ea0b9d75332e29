// Procedures of a floor that is loaded when the first of them is run: most servers start with requests that need none,
// and loading the code of identity is a good part of a cold start.
import { assert } from "../base/assert.ts";
import type { Procedure, Procedures } from "../gate/gate-app.ts";

/** Procedures by name, some of which are loaded later. */
export class LazyProcedures extends Map<string, Procedure> {
  readonly #prefix: string;
  readonly #load: () => Promise<Procedures>;
  #loaded: Procedures | null = null;
  #loading: Promise<Procedures> | null = null;

  /** @param known are there at once. @param later those whose names begin with `prefix`. */
  constructor(
    known: Procedures,
    later: { readonly prefix: string; readonly load: () => Promise<Procedures> },
  ) {
    super(known);
    this.#prefix = later.prefix;
    this.#load = later.load;
  }

  override get(name: string): Procedure | undefined {
    const known = super.get(name);
    if (known !== undefined || !name.startsWith(this.#prefix)) return known;
    if (this.#loaded !== null) return this.#loaded.get(name);
    return {
      run: async (scope, input) => {
        const found = (await this.loaded()).get(name);
        assert(found !== undefined, `${name} is a procedure`);
        return found.run(scope, input);
      },
    };
  }

  /** Loads them now: so that no transaction waits for it. */
  loaded(): Promise<Procedures> {
    return (this.#loading ??= this.#load().then((loaded) => (this.#loaded = loaded)));
  }
}
