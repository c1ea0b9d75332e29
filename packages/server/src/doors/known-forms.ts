// Query strings that were read before: clients ask the same few things again and again, and to take one apart costs as
// much as to answer it from memory. What is kept is frozen, as many requests share it.
import { deepFreeze } from "../model/manifest-json.ts";
import type { QueryForm } from "../model/query-form.ts";
import { parseQueryString } from "./query-form-parse.ts";

/** Longer ones hold long lists of values, which are seldom the same. */
const charsMax = 512;
/** Two generations of so many. */
const keptMax = 1_024;

/** Reads the query strings of lists. */
export class KnownForms {
  readonly #jsonDepthMax: number;
  #young = new Map<string, QueryForm>();
  #old = new Map<string, QueryForm>();

  constructor(jsonDepthMax: number) {
    this.#jsonDepthMax = jsonDepthMax;
  }

  /** The form of a list's query string. @throws what parseQueryString throws. */
  list(query: string): QueryForm {
    const known = this.#young.get(query);
    if (known !== undefined) return known;
    const form = this.#old.get(query) ?? parseQueryString(query, "list", this.#jsonDepthMax);
    // What goes on after a cursor is asked for once.
    if (query.length > charsMax || form.after !== undefined) return form;
    if (this.#young.size >= keptMax) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(query, deepFreeze(form));
    return form;
  }
}
