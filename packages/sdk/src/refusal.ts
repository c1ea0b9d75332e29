// How a function says no.
import type { Json } from "./spec.ts";

const codePattern = /^[A-Z][A-Z0-9_]{0,63}$/;

/** Marks refusals across copies of the SDK: `error[refusalMark] === true`. */
export const refusalMark: unique symbol = Symbol.for("keelson.refusal") as never;

/**
 * Thrown by a function to refuse a request for a reason of the app. The caller gets status 400, code
 * FUNCTION_REFUSED, and this code, text and details; a mutation that throws it changes nothing.
 *
 * @example
 * if (taken) throw new Refusal("SEAT_TAKEN", "This seat is taken.", { seat });
 */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: string;
  readonly details: { readonly [key: string]: Json };
  readonly [refusalMark] = true;

  /**
   * @param code stable, for programs: capitals, digits and `_`, at most 64. @param text for people.
   * @param details public facts; default none. @throws TypeError when the code is not of that form.
   */
  constructor(code: string, text: string, details: { readonly [key: string]: Json } = {}) {
    super(text);
    if (!codePattern.test(code))
      throw new TypeError(`A refusal's code looks like SEAT_TAKEN, not ${JSON.stringify(code)}.`);
    this.code = code;
    this.details = details;
  }
}
