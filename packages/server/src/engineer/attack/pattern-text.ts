// Texts that a field's pattern takes, drawn from the parsed pattern within the field's bounds.
import { compilePattern } from "../../model/field-pattern.ts";
import { parsePattern, PatternRefused, type PatternNode } from "../../model/field-pattern-parse.ts";
import type { SeededRandom } from "./seeded-random.ts";

const triesMax = 20;
/** Letters and digits first: a text that a person would write. */
const plainChars = Array.from("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
const otherCharsMax = 0x2fff;

interface Draw {
  readonly random: SeededRandom;
  /** Small ones leave out what may be left out, and take the first letters of each class. */
  readonly isSmall: boolean;
  /** Characters that are still to be added by repeats that take more. */
  missing: number;
}

/** A text of the pattern with `min` to `max` characters; the nearest that was drawn when none fits. */
export function patternText(
  pattern: string,
  {
    random,
    min,
    max,
  }: { readonly random: SeededRandom; readonly min: number; readonly max: number },
): string {
  const node = parsed(pattern);
  if (node === null) return random.letters(Math.max(min, Math.min(max, 6)));
  // Half of them small: the first seats of a hall are found by several callers.
  let isSmall = random.pick([true, false]);
  let missing = 0;
  let text = "";
  for (let tries = 0; tries < triesMax; tries++) {
    text = draw(node, { random, isSmall, missing });
    if (text.length >= min && text.length <= max) return text;
    if (text.length < min) missing += min - text.length;
    else [isSmall, missing] = [true, 0];
  }
  return text.slice(0, max);
}

/** Whether the pattern takes the text. */
export function isOfPattern(pattern: string, text: string): boolean {
  return parsed(pattern) !== null && compilePattern(pattern).test(text);
}

/** Null: a pattern out of the app's code that no field could have. */
function parsed(pattern: string): PatternNode | null {
  try {
    return parsePattern(pattern);
  } catch (error) {
    if (error instanceof PatternRefused) return null;
    throw error;
  }
}

function draw(node: PatternNode, how: Draw): string {
  switch (node.kind) {
    case "char": {
      const chars = charsOf(node.source);
      return how.random.pick(how.isSmall ? chars.slice(0, 4) : chars);
    }
    case "sequence":
      return node.parts.map((part) => draw(part, how)).join("");
    case "choice":
      return draw(how.random.pick(node.parts), how);
    case "repeat":
      return drawRepeat(node, how);
    default:
      return node satisfies never;
  }
}

function drawRepeat(node: PatternNode & { readonly kind: "repeat" }, how: Draw): string {
  const usual = how.isSmall ? node.min : Math.max(node.min, Math.min(node.max, 1));
  let text = "";
  let count = 0;
  for (; count < usual; count++) text += draw(node.part, how);
  for (; count < node.max && how.missing > 0; count++) {
    const piece = draw(node.part, how);
    if (piece === "") break;
    how.missing -= piece.length;
    text += piece;
  }
  return text;
}

/** Characters that a piece of a pattern stands for, some of them; never none. */
function charsOf(source: string): readonly string[] {
  const test = new RegExp(`^${source}$`, "v");
  const plain = plainChars.filter((char) => test.test(char));
  if (plain.length > 0) return plain;
  const others: string[] = [];
  for (let code = 32; code <= otherCharsMax && others.length < 20; code++) {
    const char = String.fromCharCode(code);
    if (test.test(char)) others.push(char);
  }
  return others.length > 0 ? others : ["x"];
}
