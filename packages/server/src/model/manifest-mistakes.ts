// Collects what is wrong with an app's specification, each mistake at its place in the source.
import { codeFrame, type AppMistake } from "./app-mistake.ts";
import type { SourcePlace } from "./manifest.ts";

/** Mistakes told at once: more would not be read. */
const mistakesMax = 50;

/** Where mistakes go. */
export class SpecMistakes {
  readonly found: AppMistake[] = [];
  readonly #source: (file: string) => string | null;
  readonly #app: SourcePlace | undefined;

  /**
   * @param source the text of a file of the app, or null, for the lines around a mistake.
   * @param app where the app is put together: the place of what has none of its own.
   */
  constructor(source: (file: string) => string | null, app?: SourcePlace) {
    this.#source = source;
    this.#app = app;
  }

  /** @param where undefined when only the app as a whole is known. @returns null, for a check to return. */
  add(where: SourcePlace | undefined, problem: string, fix: string): null {
    if (this.found.length >= mistakesMax) return null;
    const at = where ?? this.#app;
    const place = at ?? { file: "app.ts", line: 1, column: 1 };
    const text = at === undefined ? null : this.#source(place.file);
    const frame = text === null ? "" : codeFrame(text, place.line, place.column);
    const { file, line, column } = place;
    this.found.push({ file, line, column, problem, fix, frame });
    return null;
  }
}

/** What a check of a piece of the specification works on. */
export interface SpecPlace {
  readonly mistakes: SpecMistakes;
  readonly at: SourcePlace | undefined;
  /** What it is, for the sentence: `table film`, `film.rating`. */
  readonly what: string;
}

/** Says what is wrong with the piece at hand. */
export function complain(place: SpecPlace, problem: string, fix: string): null {
  return place.mistakes.add(place.at, `${place.what} ${problem}.`, fix);
}

/** The same place, one level in. */
export function inside(place: SpecPlace, what: string): SpecPlace {
  return { ...place, what };
}

/** The same piece at the place where what is exported under a name stands, when that was found. */
export function placed(
  place: SpecPlace,
  name: string,
  places: Readonly<Record<string, SourcePlace>>,
): SpecPlace {
  return Object.hasOwn(places, name) ? { ...place, at: places[name] } : place;
}

/** An object with none but the known keys, or null and a mistake. */
export function readObject(
  place: SpecPlace,
  value: unknown,
  keys: readonly string[] | null,
  fix: string = fixByDefine,
): Readonly<Record<string, unknown>> | null {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return complain(place, "is no object", fix);
  }
  const given = value as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(given)) {
    if (keys === null || keys.includes(key)) continue;
    complain(place, `has ${JSON.stringify(key.slice(0, 64))}, which means nothing there`, fix);
  }
  return given;
}

/** A list of texts, or null and a mistake. */
export function readTexts(place: SpecPlace, value: unknown): readonly string[] | null {
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  return complain(place, "is no list of texts", fixByDefine);
}

/** What to do when a specification has a shape that the SDK never makes. */
export const fixByDefine =
  "Make tables and functions with what `define` hands out, of the same version of keelson.";
