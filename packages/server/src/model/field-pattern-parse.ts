// The pattern of a text field, parsed into what an automaton can run (field-pattern.ts): characters,
// sequences, choices and repeats. Characters and classes stay source text, which the engine's own RegExp
// decides one code point at a time, so classes mean exactly what ECMAScript says (flag `v`).
// Invariant: a parsed pattern is regular: no backreference, no lookaround, no word boundary.

/** A parsed pattern. */
export type PatternNode =
  /** One code point; `source` is a literal, an escape, `.` or a class. */
  | { readonly kind: "char"; readonly source: string }
  | { readonly kind: "sequence"; readonly parts: readonly PatternNode[] }
  | { readonly kind: "choice"; readonly parts: readonly PatternNode[] }
  /** `max` is Infinity for no upper bound. */
  | {
      readonly kind: "repeat";
      readonly part: PatternNode;
      readonly min: number;
      readonly max: number;
    };

/** A pattern that may not be used. The message is for the person who wrote the app. */
export class PatternRefused extends Error {
  override readonly name = "PatternRefused";
}

const sourceCharsMax = 1_000;
const depthMax = 50;
const stringClass = /\\q\{|\\[pP]\{(?:RGI_|Basic_Emoji|Emoji_Keycap)/;

/** Reads a pattern. @throws PatternRefused when it is no ECMAScript pattern of flag `v`, or not regular. */
export function parsePattern(source: string): PatternNode {
  if (source.length > sourceCharsMax) {
    throw new PatternRefused(`a pattern has at most ${sourceCharsMax} characters`);
  }
  try {
    void new RegExp(`^(?:${source})$`, "v");
    void new RegExp(source, "v");
  } catch (error) {
    throw new PatternRefused(error instanceof Error ? error.message : "not a pattern");
  }
  if (stringClass.test(source)) {
    throw new PatternRefused(
      "a class of several characters (\\q{...}, RGI_...) cannot be used here",
    );
  }
  return new PatternParser(source).parse();
}

/** Recursive descent; the engine's own parser has accepted the source before, so only meaning is checked. */
class PatternParser {
  readonly #chars: readonly string[];
  #at = 0;
  #depth = 0;

  constructor(source: string) {
    this.#chars = Array.from(source);
  }

  parse(): PatternNode {
    return this.#choice();
  }

  #choice(): PatternNode {
    const parts = [this.#sequence()];
    while (this.#peek() === "|") {
      this.#at++;
      parts.push(this.#sequence());
    }
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : { kind: "choice", parts };
  }

  #sequence(): PatternNode {
    const parts: PatternNode[] = [];
    const startsAt = this.#at;
    while (this.#at < this.#chars.length && this.#peek() !== "|" && this.#peek() !== ")") {
      if (this.#skipAnchor(startsAt)) continue;
      parts.push(this.#quantified(this.#atom()));
    }
    return { kind: "sequence", parts };
  }

  /** `^` first and `$` last in the whole pattern say what is so anyway: a pattern is matched whole. */
  #skipAnchor(sequenceAt: number): boolean {
    const char = this.#peek();
    if (char !== "^" && char !== "$") return false;
    const next = this.#chars[this.#at + 1];
    const outermost = this.#depth === 0;
    const first = char === "^" && this.#at === sequenceAt;
    const last = char === "$" && (next === undefined || next === "|");
    if (!outermost || (!first && !last)) {
      throw new PatternRefused(
        `${char} inside a pattern cannot be used: a pattern is always matched against the whole text`,
      );
    }
    this.#at++;
    return true;
  }

  #atom(): PatternNode {
    const char = this.#take();
    if (char === "(") return this.#group();
    if (char === "[") return { kind: "char", source: this.#class() };
    if (char === "\\") return { kind: "char", source: this.#escape() };
    return { kind: "char", source: char };
  }

  #group(): PatternNode {
    if (this.#peek() === "?") {
      this.#at++;
      const kind = this.#take();
      if (kind === "<" && this.#peek() !== "=" && this.#peek() !== "!") {
        while (this.#take() !== ">");
      } else if (kind !== ":") {
        throw new PatternRefused(
          "(?=...), (?!...), (?<=...), (?<!...) and flags inside a pattern cannot be used; write a .check on the table instead",
        );
      }
    }
    if (++this.#depth > depthMax) throw new PatternRefused("the pattern is nested too deeply");
    const inner = this.#choice();
    this.#depth--;
    this.#at++;
    return inner;
  }

  #class(): string {
    let text = "[";
    for (let open = 1; open > 0;) {
      const char = this.#take();
      text += char;
      if (char === "\\") text += this.#take();
      if (char === "[") open++;
      if (char === "]") open--;
    }
    return text;
  }

  #escape(): string {
    const char = this.#take();
    if (/[1-9k]/.test(char)) throw new PatternRefused("a backreference cannot be used");
    if (char === "b" || char === "B") throw new PatternRefused("\\b and \\B cannot be used");
    let text = `\\${char}`;
    if (this.#peek() === "{" && /[pPu]/.test(char)) {
      while (!text.endsWith("}")) text += this.#take();
      return text;
    }
    if (char === "x") return text + this.#take() + this.#take();
    if (char === "c") return text + this.#take();
    if (char === "u") {
      text += this.#take() + this.#take() + this.#take() + this.#take();
      // A pair of escaped surrogates is one code point.
      const rest = this.#chars.slice(this.#at, this.#at + 6).join("");
      if (/^\\u[dD][89abAB]/.test(text) && /^\\u[dD][c-fC-F]/.test(rest)) {
        this.#at += 6;
        text += rest;
      }
    }
    return text;
  }

  #quantified(part: PatternNode): PatternNode {
    const bounds = this.#quantifier();
    if (bounds === null) return part;
    // Lazy or greedy: the same texts match whole.
    if (this.#peek() === "?") this.#at++;
    return { kind: "repeat", part, ...bounds };
  }

  #quantifier(): { readonly min: number; readonly max: number } | null {
    const char = this.#peek();
    if (char === "*" || char === "+" || char === "?") {
      this.#at++;
      return { min: char === "+" ? 1 : 0, max: char === "?" ? 1 : Infinity };
    }
    if (char !== "{") return null;
    let text = "";
    while (!text.endsWith("}")) text += this.#take();
    const [min, max] = text.slice(1, -1).split(",");
    if (max === undefined) return { min: Number(min), max: Number(min) };
    return { min: Number(min), max: max === "" ? Infinity : Number(max) };
  }

  #peek(): string | undefined {
    return this.#chars[this.#at];
  }

  #take(): string {
    const char = this.#chars[this.#at++];
    if (char === undefined) throw new PatternRefused("the pattern ends too early");
    return char;
  }
}
