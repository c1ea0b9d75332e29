// What an app's authors have thought about: a comment above (or on) the line of the rule or function that a
// finding points to, `// keelson-attack A202: a hold that ran out is nobody's any more`. The finding is then
// listed with its reason and does not count as a hole.
import type { SourcePlace } from "../../model/manifest.ts";

const linesAbove = 6;
const reasonCharsMin = 10;

/** @returns the reason, or null when there is none. */
export function acceptedReason(
  sources: ReadonlyMap<string, string>,
  code: string,
  at: SourcePlace | null,
): string | null {
  if (at === null) return null;
  const text = sources.get(at.file);
  if (text === undefined) return null;
  const lines = text.split("\n");
  for (let line = at.line; line > Math.max(0, at.line - linesAbove); line--) {
    const match = /keelson-attack\s+(A\d{3}):\s*(.*?)\s*(?:\*\/)?$/.exec(lines[line - 1] ?? "");
    if (match === null) {
      // Comments above the line only: other code ends the search.
      if (line < at.line && !/^\s*(?:\/\/|\/?\*|$)/.test(lines[line - 1] ?? "")) return null;
      continue;
    }
    if (match[1] === code && (match[2] ?? "").length >= reasonCharsMin) return match[2] ?? null;
  }
  return null;
}
