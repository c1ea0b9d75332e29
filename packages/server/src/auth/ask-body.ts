// Reads the fields of a body: each named, none unknown.
import type { Json } from "../base/json.ts";
import { PlatformError } from "../base/platform-error.ts";
import { textProblem } from "../model/field-format.ts";
import type { AuthAsk } from "./auth-route.ts";

/** Fields that every sign-in takes beside its own. */
export const signInFields: readonly string[] = ["tokens", "next"];

/** The body, with none but these fields. @throws ARGUMENT_INVALID. */
export function bodyOf(ask: Pick<AuthAsk, "body">, fields: readonly string[]): AuthAsk["body"] {
  for (const name of Object.keys(ask.body)) {
    if (!fields.includes(name)) throw invalidField(name.slice(0, 64), "is not known here");
  }
  return ask.body;
}

/** A text of the body. @throws ARGUMENT_INVALID. */
export function textField(body: AuthAsk["body"], name: string, charsMax: number): string {
  const value: Json | undefined = body[name];
  if (typeof value !== "string" || value === "") throw invalidField(name, "is missing");
  if (value.length > charsMax) throw invalidField(name, `is longer than ${charsMax} characters`);
  const problem = textProblem(value);
  if (problem !== null) throw invalidField(name, problem);
  return value;
}

/** The refusal of one field. */
export function invalidField(path: string, problem: string): PlatformError {
  return new PlatformError("ARGUMENT_INVALID", { issues: [{ path, problem }] });
}
