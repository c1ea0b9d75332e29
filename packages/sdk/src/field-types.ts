// What each kind of field means to tsc: its value as read and written, in rules, and in filters; and what
// follows for a whole row. Conditions are decided on the field (see Field), where tsc decides each
// combination of kind and flags once, and not on every field of every table again: that keeps editors fast.
import type { AnyField } from "./field.ts";
import type { Id } from "./id.ts";
import type {
  EqualCondition,
  ListCondition,
  OrderCondition,
  PresenceCondition,
  TextCondition,
} from "./where.ts";

/** Fields by name: of a table, an object, or arguments. */
export type Fields = { readonly [name: string]: AnyField };

/** A row's identity inside rules: comparable with references to the same table and with `me.id`. */
export interface RuleId<T extends string> {
  readonly "~id": T;
}

export interface TextType {
  readonly kind: "text";
  readonly value: string;
  readonly input: string;
  readonly rule: string;
  readonly where: string | null | TextCondition;
  readonly to: never;
}

export interface NumberType<K extends "int" | "number" | "money"> {
  readonly kind: K;
  readonly value: number;
  readonly input: number;
  readonly rule: number;
  readonly where: number | null | OrderCondition<number>;
  readonly to: never;
}

export interface BoolType {
  readonly kind: "bool";
  readonly value: boolean;
  readonly input: boolean;
  readonly rule: boolean;
  readonly where: boolean | null | EqualCondition<boolean>;
  readonly to: never;
}

/** Times and dates: texts whose order is the order of time. */
export interface TimeType<K extends "time" | "date"> {
  readonly kind: K;
  readonly value: string;
  readonly input: string;
  readonly rule: string;
  readonly where: string | null | OrderCondition<string>;
  readonly to: never;
}

export interface IdType<T extends string> {
  readonly kind: "id";
  readonly value: Id<T>;
  readonly input: Id<T>;
  readonly rule: RuleId<T>;
  readonly where: Id<T> | null | EqualCondition<Id<T>>;
  readonly to: never;
}

export interface RefType<T extends string> {
  readonly kind: "ref";
  readonly value: Id<T>;
  readonly input: Id<T>;
  readonly rule: RuleId<T>;
  readonly where: Id<T> | null | EqualCondition<Id<T>>;
  readonly to: T;
}

export interface OneOfType<V extends string> {
  readonly kind: "oneOf";
  readonly value: V;
  readonly input: V;
  readonly rule: V;
  readonly where: V | null | EqualCondition<V>;
  readonly to: never;
}

export interface JsonType<V> {
  readonly kind: "json";
  readonly value: V;
  readonly input: V;
  readonly rule: unknown;
  readonly where: null | PresenceCondition;
  readonly to: never;
}

export interface BytesType {
  readonly kind: "bytes";
  readonly value: string;
  readonly input: string;
  readonly rule: string;
  readonly where: null | PresenceCondition;
  readonly to: never;
}

export interface ListType<I extends AnyField> {
  readonly kind: "list";
  readonly value: readonly I["~value"][];
  readonly input: readonly I["~input"][];
  readonly rule: readonly I["~rule"][];
  readonly where: null | ListCondition<I["~input"]>;
  readonly to: never;
}

export interface ObjectType<F extends Fields> {
  readonly kind: "object";
  readonly value: Values<F>;
  readonly input: Input<F>;
  readonly rule: unknown;
  readonly where: null | PresenceCondition;
  readonly to: never;
}

/** Values as read: every field is there, absent ones are null. */
export type Values<F extends Fields> = { readonly [P in keyof F]: F[P]["~value"] };

/** Whose view of a table: names of what to look at in each of its fields. */
export interface View {
  readonly sees: "~caller" | "~system";
  readonly where: "~callerWhere" | "~where";
}

/** The view of callers: private fields do not exist. */
export interface CallerView {
  readonly sees: "~caller";
  readonly where: "~callerWhere";
}

/** The view of `db.asSystem`: everything. */
export interface SystemView {
  readonly sees: "~system";
  readonly where: "~where";
}

/** Values as written: optional fields and those with a default may be left out. */
export type Input<F extends Fields, V extends View = SystemView> = {
  readonly [P in keyof F as P & F[P]["~needed"] & F[P][V["sees"]]]: F[P]["~input"];
} & {
  readonly [P in keyof F as P & F[P]["~omittable"] & F[P][V["sees"]]]?: F[P]["~input"];
};

/** A change: every field that may be updated, all of them optional. */
export type Patch<F extends Fields, V extends View> = {
  readonly [P in keyof F as P & F[P]["~mutable"] & F[P][V["sees"]]]?: F[P]["~input"];
};

/** A row of table `T`: `id` and every field. */
export type Row<T extends string, F extends Fields, V extends View> = { readonly id: Id<T> } & {
  readonly [P in keyof F as P & F[P][V["sees"]]]: F[P]["~value"];
};
