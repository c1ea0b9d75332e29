// From a place in the bundle back to the line that a person wrote.
import { originalPositionFor, sourceContentFor, TraceMap } from "@jridgewell/trace-mapping";
import { codeFrame } from "../model/app-mistake.ts";
import type { SourcePlace } from "../model/manifest.ts";
import type { Bundle } from "./app-isolate.ts";

/** Name of the bundle's script in stacks. */
export const bundleScript = "keelson:app";

const framePattern = /^\s*at (?:(.*?) \()?keelson:app:(\d+):(\d+)\)?$/;
const framesMax = 20;

/** A place with the lines around it. */
export interface MappedPlace extends SourcePlace {
  readonly frame: string;
}

/** The source map of one bundle. Parsed when first asked. */
export class BundleMap {
  readonly #json: string;
  #map: TraceMap | null = null;

  constructor(bundle: Pick<Bundle, "map">) {
    this.#json = bundle.map;
  }

  /** Every source in the bundle with its text. */
  sources(): ReadonlyMap<string, string> {
    const map = this.#opened();
    const texts = new Map<string, string>();
    for (const source of map.sources) {
      if (source !== null) texts.set(source, sourceContentFor(map, source) ?? "");
    }
    return texts;
  }

  /** The first line of the app's own in a stack; a package's when there is none of the app's. */
  placeIn(stack: string): MappedPlace | null {
    let second: MappedPlace | null = null;
    for (const line of stack.split("\n", framesMax)) {
      const place = this.#placeOf(line);
      if (place === null) continue;
      if (isOwn(place.file)) return place;
      second ??= place;
    }
    return second;
  }

  /** The stack with the app's own files and lines, without ours. */
  mappedStack(stack: string): string {
    const lines: string[] = [];
    for (const line of stack.split("\n", framesMax)) {
      const found = framePattern.exec(line);
      if (found === null) {
        if (!/^\s*at /.test(line)) lines.push(line);
        continue;
      }
      const place = this.#placeOf(line);
      if (place === null || place.file.startsWith("../")) continue;
      lines.push(
        `    at ${found[1] ?? "<anonymous>"} (${place.file}:${place.line}:${place.column})`,
      );
    }
    return lines.join("\n");
  }

  #placeOf(stackLine: string): MappedPlace | null {
    const found = framePattern.exec(stackLine);
    if (found === null) return null;
    const map = this.#opened();
    const column = Number(found[3]) - 1;
    const original = originalPositionFor(map, { line: Number(found[2]), column });
    if (original.source === null) return null;
    const text = sourceContentFor(map, original.source) ?? "";
    const place = { file: original.source, line: original.line, column: original.column + 1 };
    return { ...place, frame: codeFrame(text, place.line, place.column) };
  }

  #opened(): TraceMap {
    this.#map ??= new TraceMap(this.#json);
    return this.#map;
  }
}

/** Whether a source is the app's own, and not a package's or the SDK's. */
export function isOwn(source: string): boolean {
  return !source.startsWith("../") && !source.includes("node_modules/");
}
