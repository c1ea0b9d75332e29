// A field: its specification as JSON, and its types for tsc. Immutable: every chained call gives a new one.
// Names that begin with `~` exist for the type system only; no object has them.
import { checkDefault } from "./field-default.ts";
import { definitionPlace, DefinitionError, type DefinitionPlace } from "./definition-error.ts";
import type { FieldSpec } from "./spec.ts";

/** What a kind of field means to tsc. `to` is the table that a reference leads to, else never. */
export interface FieldType {
  readonly kind: FieldSpec["kind"];
  /** As read. */
  readonly value: unknown;
  /** As written. */
  readonly input: unknown;
  /** As seen in rules. */
  readonly rule: unknown;
  /** As asked for in a filter. */
  readonly where: unknown;
  readonly to: string;
}

/** What a field may carry beside its kind. */
export type FieldFlag = "optional" | "default" | "private" | "immutable" | "unique" | "claim";

/**
 * The least that is known of any field. Names that begin with `~` exist for tsc only. `~needed` and the
 * like are `string` for yes and `never` for no: `P & F[P]["~needed"]` keeps or drops the name P.
 */
export interface AnyField {
  readonly spec: FieldSpec;
  /** As read: null when it may be absent. */
  readonly "~value": unknown;
  /** As written. */
  readonly "~input": unknown;
  /** As seen in rules. */
  readonly "~rule": unknown;
  readonly "~where": unknown;
  /** As callers may ask for it: never when it is private. */
  readonly "~callerWhere": unknown;
  readonly "~to": string;
  readonly "~absent": null;
  readonly "~needed": string;
  readonly "~omittable": string;
  readonly "~mutable": string;
  /** Whether callers see it: it is not private. */
  readonly "~caller": string;
  readonly "~system": string;
  readonly "~reference": string;
  /** Whether it stands in `me`. */
  readonly "~claim": string;
}

type Null<F> = "optional" extends F ? null : never;

/** A field of type `X` with flags `F`. */
export interface Field<X extends FieldType, F extends FieldFlag = never> extends AnyField {
  readonly "~value": X["value"] | Null<F>;
  readonly "~input": X["input"] | Null<F>;
  readonly "~rule": X["rule"] | Null<F>;
  readonly "~where": X["where"];
  readonly "~callerWhere": "private" extends F ? never : X["where"];
  readonly "~to": X["to"];
  readonly "~absent": Null<F>;
  readonly "~needed": F & ("optional" | "default") extends never ? string : never;
  readonly "~omittable": F & ("optional" | "default") extends never ? never : string;
  readonly "~mutable": "immutable" extends F ? never : string;
  readonly "~caller": "private" extends F ? never : string;
  readonly "~system": string;
  readonly "~reference": [X["to"]] extends [never] ? never : string;
  readonly "~claim": "claim" extends F ? string : never;
  /** May be absent: reads as null. Default: required. */
  optional(): Field<X, F | "optional">;
  /** The value on create when none is given. `"now"` is the time of the call, for a date its day in UTC. */
  default(value: X["input"]): Field<X, F | "default">;
  /** Never leaves the server; only `db.asSystem("reason")` reads it. Default: readable as the rules say. */
  private(): Field<X, F | "private">;
  /** Set on create only. Default: may be updated. */
  immutable(): Field<X, F | "immutable">;
  /** No two rows hold the same value; absent ones do not collide. */
  unique(): Field<X, F | "unique">;
  /** Of the table `user`: `me` has it under its name, in rules and functions. Default: it does not. */
  claim(): Field<X, F | "claim">;
}

/** The one implementation of every field. */
export class FieldDefinition {
  readonly spec: FieldSpec;
  /** Where the field was made, for mistakes that show only when all tables are known. */
  readonly place: DefinitionPlace;

  constructor(spec: FieldSpec, place: DefinitionPlace) {
    this.spec = Object.freeze(spec);
    this.place = place;
  }

  optional(): FieldDefinition {
    return this.#with({ optional: true });
  }

  default(value: unknown): FieldDefinition {
    const isTime = this.spec.kind === "time" || this.spec.kind === "date";
    if (isTime && value === "now") return this.#with({ default: { now: true } });
    const problem = checkDefault(this.spec, value);
    if (problem !== null) {
      throw new DefinitionError(
        `The default ${show(value)} does not fit: ${problem}.`,
        "Give a value that the field itself would take.",
        methods.default,
      );
    }
    return this.#with({ default: { value: value as never } });
  }

  private(): FieldDefinition {
    return this.#with({ private: true });
  }

  immutable(): FieldDefinition {
    return this.#with({ immutable: true });
  }

  unique(): FieldDefinition {
    const { kind } = this.spec;
    if (
      kind === "json" ||
      kind === "list" ||
      kind === "object" ||
      kind === "bytes" ||
      kind === "bool"
    ) {
      throw new DefinitionError(
        `A field of kind ${kind} can't be unique.`,
        "Put the part that must be unique into a field of its own.",
        methods.unique,
      );
    }
    return this.#with({ unique: true });
  }

  claim(): FieldDefinition {
    return this.#with({ claim: true });
  }

  #with(flags: Partial<FieldSpec>): FieldDefinition {
    return new FieldDefinition({ ...this.spec, ...flags } as FieldSpec, this.place);
  }
}

/** The methods as functions: where a mistake's stack is cut. */
const methods = FieldDefinition.prototype as unknown as {
  readonly default: Function;
  readonly unique: Function;
};

/** Makes a field. @param above the function of `t` that the user called. */
export function makeField<X extends FieldType>(spec: FieldSpec, above: Function): Field<X> {
  return new FieldDefinition(spec, definitionPlace(above)) as unknown as Field<X>;
}

/** Where a field was made. */
export function placeOf(field: AnyField): DefinitionPlace {
  return (field as unknown as FieldDefinition).place;
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}
