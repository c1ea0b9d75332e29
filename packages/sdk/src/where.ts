// Filters as users write them: the JSON form of the server's one query form, typed by the fields.
import type { AnyField } from "./field.ts";
import type { Id } from "./id.ts";

type Fields = { readonly [name: string]: AnyField };

/** Which property of a field says what may be asked of it. */
interface WhereView {
  readonly where: "~callerWhere" | "~where";
}

/** Conditions that every comparable value takes. All that are present must hold; null asks for absence. */
export interface EqualCondition<V> {
  readonly eq?: V | null;
  readonly not?: V | null;
  readonly in?: readonly V[];
  readonly notIn?: readonly V[];
}

/** Conditions on values that have an order. */
export interface OrderCondition<V> extends EqualCondition<V> {
  readonly gt?: V;
  readonly gte?: V;
  readonly lt?: V;
  readonly lte?: V;
}

/** Conditions on text. `startsWith` uses an index, `contains` reads every row. */
export interface TextCondition extends OrderCondition<string> {
  readonly startsWith?: string;
  readonly contains?: string;
}

/** Conditions on lists: whether an item is in it. */
export interface ListCondition<V> extends PresenceCondition {
  readonly contains?: V;
}

/** Conditions on what has no order and no equality: whether it is there. */
export interface PresenceCondition {
  readonly eq?: null;
  readonly not?: null;
}

/** A filter's fields: a value stands for `{ eq: value }`. */
type WhereFields<F extends Fields, V extends WhereView> = {
  readonly [P in keyof F]?: F[P][V["where"]];
};

/** The logic around conditions. Lists hold at least one filter. */
interface WhereLogic<T extends string, F extends Fields, V extends WhereView> {
  readonly id?: Id<T> | EqualCondition<Id<T>>;
  readonly and?: readonly Where<T, F, V>[];
  readonly or?: readonly Where<T, F, V>[];
  readonly not?: Where<T, F, V>;
}

/** A filter on the table `T` with the fields `F`, for whoever has the view `V`. */
export type Where<T extends string, F extends Fields, V extends WhereView> = WhereFields<F, V> &
  WhereLogic<T, F, V>;
