// All tables of an app, for the type system.
import type { Field } from "./field.ts";
import type { Fields, TextType } from "./field-types.ts";
import type { PlatformSchema, PlatformTable } from "./platform-tables.ts";
import type { AnyTable } from "./table.ts";

/** Fields by table. */
export type Schema = { readonly [table: string]: Fields };

/** The tables of a `define`. */
export type Tables = { readonly [table: string]: AnyTable };

/** The fields of the table `user` of an app that declares none. */
export type DefaultUserFields = {
  readonly name: Field<TextType, "optional">;
  readonly email: Field<TextType, "optional" | "unique">;
  readonly role: Field<TextType, "optional">;
};

/** Tables that are there beside the app's own. */
interface GivenSchema extends PlatformSchema {
  readonly user: DefaultUserFields;
}

/** The schema of these tables, with the table `user` that every app has, and those of the platform. */
export type SchemaOf<D extends Tables> = {
  readonly [T in keyof D | keyof GivenSchema]: T extends keyof D
    ? D[T]["~fields"]
    : GivenSchema[T & keyof GivenSchema];
};

/** The tables of a schema that an app writes: those of the platform are written by the platform. */
export type OwnTable<S extends Schema> = Exclude<keyof S & string, PlatformTable>;
