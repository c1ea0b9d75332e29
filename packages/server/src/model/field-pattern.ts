// Patterns of text fields, matched in time linear in the text, whatever the pattern: a backtracking RegExp
// can take minutes for forty characters, and the text comes from a stranger. Runs a Thompson automaton with
// states built when first needed and kept (Russ Cox, "Regular Expression Matching Can Be Simple And Fast").
// Invariant: no pattern and no text make test() do more than text length x size steps.
import { parsePattern, PatternRefused, type PatternNode } from "./field-pattern-parse.ts";

/** Instructions of one pattern; `x{1000}` has a thousand. */
const instructionsMax = 1_000;
const statesMax = 500;
const othersMax = 2_000;

/** A pattern ready to match. */
export interface Pattern {
  /** Instructions: what one character costs at worst. */
  readonly size: number;
  /** Whether the whole text matches. */
  test(text: string): boolean;
}

type Instruction =
  | { readonly kind: "char"; readonly char: CharTest }
  | { kind: "split"; first: number; second: number }
  | { kind: "jump"; to: number }
  | { readonly kind: "match" };

/** Reads and prepares a pattern. @throws PatternRefused when it can't be used, with the reason. */
export function compilePattern(source: string): Pattern {
  const program: Instruction[] = [];
  const tests = new Map<string, CharTest>();
  emit(parsePattern(source), program, tests);
  program.push({ kind: "match" });
  return new PatternAutomaton(program);
}

/** Whether one code point is what a piece of the pattern stands for. */
class CharTest {
  readonly #ascii: readonly boolean[];
  readonly #regexp: RegExp;

  constructor(source: string) {
    this.#regexp = new RegExp(`^${source}$`, "v");
    this.#ascii = Array.from({ length: 128 }, (_, code) =>
      this.#regexp.test(String.fromCharCode(code)),
    );
  }

  has(codePoint: number): boolean {
    if (codePoint < 128) return this.#ascii[codePoint] === true;
    return this.#regexp.test(String.fromCodePoint(codePoint));
  }
}

function emit(node: PatternNode, program: Instruction[], tests: Map<string, CharTest>): void {
  if (program.length >= instructionsMax) {
    throw new PatternRefused(
      `the pattern is too large: repeats like {1000} count as that many pieces, ${instructionsMax} in all`,
    );
  }
  switch (node.kind) {
    case "char": {
      const char = tests.get(node.source) ?? new CharTest(node.source);
      tests.set(node.source, char);
      program.push({ kind: "char", char });
      return;
    }
    case "sequence":
      for (const part of node.parts) emit(part, program, tests);
      return;
    case "choice":
      emitChoice(node.parts, program, tests);
      return;
    case "repeat":
      emitRepeat(node, program, tests);
      return;
    default:
      node satisfies never;
  }
}

function emitChoice(
  parts: readonly PatternNode[],
  program: Instruction[],
  tests: Map<string, CharTest>,
): void {
  const jumps: { kind: "jump"; to: number }[] = [];
  for (const [index, part] of parts.entries()) {
    if (index === parts.length - 1) {
      emit(part, program, tests);
      break;
    }
    const split = { kind: "split" as const, first: program.length + 1, second: 0 };
    program.push(split);
    emit(part, program, tests);
    const jump = { kind: "jump" as const, to: 0 };
    program.push(jump);
    jumps.push(jump);
    split.second = program.length;
  }
  for (const jump of jumps) jump.to = program.length;
}

function emitRepeat(
  node: PatternNode & { kind: "repeat" },
  program: Instruction[],
  tests: Map<string, CharTest>,
): void {
  if (Math.max(node.min, node.max === Infinity ? 0 : node.max) > instructionsMax) {
    throw new PatternRefused(`a repeat counts to ${instructionsMax} at most`);
  }
  for (let count = 0; count < node.min; count++) emit(node.part, program, tests);
  if (node.max === Infinity) {
    const split = { kind: "split" as const, first: program.length + 1, second: 0 };
    const at = program.length;
    program.push(split);
    emit(node.part, program, tests);
    program.push({ kind: "jump", to: at });
    split.second = program.length;
    return;
  }
  const splits: { kind: "split"; first: number; second: number }[] = [];
  for (let count = node.min; count < node.max; count++) {
    const split = { kind: "split" as const, first: program.length + 1, second: 0 };
    program.push(split);
    splits.push(split);
    emit(node.part, program, tests);
  }
  for (const split of splits) split.second = program.length;
}

/** A set of places in the program, with the ways on from it found so far. */
interface State {
  /** Places of `char` instructions, growing. */
  readonly places: readonly number[];
  readonly accepts: boolean;
  readonly ascii: (State | undefined)[];
  readonly others: Map<number, State>;
}

class PatternAutomaton implements Pattern {
  readonly size: number;
  readonly #program: readonly Instruction[];
  readonly #states = new Map<string, State>();
  #start: State;

  constructor(program: readonly Instruction[]) {
    this.#program = program;
    this.size = program.length;
    this.#start = this.#stateOf([0]);
  }

  test(text: string): boolean {
    let state = this.#start;
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code < 128) {
        state = state.ascii[code] ?? this.#step(state, code);
      } else {
        const codePoint = text.codePointAt(at) ?? code;
        if (codePoint > 0xffff) at++;
        state = state.others.get(codePoint) ?? this.#step(state, codePoint);
      }
      if (state.places.length === 0 && !state.accepts) return false;
    }
    return state.accepts;
  }

  #step(from: State, codePoint: number): State {
    const next: number[] = [];
    for (const place of from.places) {
      const instruction = this.#program[place];
      if (instruction?.kind === "char" && instruction.char.has(codePoint)) next.push(place + 1);
    }
    const to = this.#stateOf(next);
    if (codePoint < 128) from.ascii[codePoint] = to;
    else if (from.others.size < othersMax) from.others.set(codePoint, to);
    return to;
  }

  #stateOf(places: readonly number[]): State {
    const seen = new Set<number>();
    const chars: number[] = [];
    let accepts = false;
    const open = [...places];
    for (let place = open.pop(); place !== undefined; place = open.pop()) {
      if (seen.has(place)) continue;
      seen.add(place);
      const instruction = this.#program[place];
      if (instruction === undefined) continue;
      if (instruction.kind === "char") chars.push(place);
      else if (instruction.kind === "match") accepts = true;
      else if (instruction.kind === "jump") open.push(instruction.to);
      else open.push(instruction.first, instruction.second);
    }
    chars.sort((left, right) => left - right);
    const key = `${accepts ? "+" : "-"}${chars.join(",")}`;
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    // A pattern with too many states forgets them all and goes on: memory stays bounded, time linear.
    if (this.#states.size >= statesMax) this.#forget();
    const state: State = { places: chars, accepts, ascii: [], others: new Map() };
    this.#states.set(key, state);
    return state;
  }

  #forget(): void {
    this.#states.clear();
    this.#start = { ...this.#start, ascii: [], others: new Map() };
  }
}
