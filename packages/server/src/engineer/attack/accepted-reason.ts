// What an app's authors have thought about: a comment above (or on) the line of the rule or function that a finding
// points to, `// keelson-attack A202 booking.status=held: a hold that ran out is nobody's any more`. The finding is then
// listed with its reason and does not count as a hole. What stands between code and reason narrows it: to tables,
// fields, and fields that held a value before. Without it, every finding of the code at that place is accepted. With the
// word `open` in the place of a code it is what could not be shown of the function or table there.
import type { Json } from "../../base/json.ts";
import type { SourcePlace } from "../../model/manifest.ts";
import type { Change } from "../../store/store.ts";

const linesAbove = 6;
const reasonCharsMin = 10;
const form = /keelson-attack\s+(A\d{3}|open)(?:\s+([\w.=\-, ]+?))?\s*:\s*(.*?)\s*(?:\*\/)?$/;

/** What a request has shown, as far as an acceptance may name it. */
export interface Acceptable {
  /** `A202`, or `open`. */
  readonly code: string;
  /** A table, or a function. */
  readonly subject: string;
  /** `table.field`, or the field's name alone where the subject is the table. */
  readonly fields: readonly string[];
  readonly changed?: Change;
  readonly at: SourcePlace | null;
}

/** @returns the reason, or null when there is none. */
export function acceptedReason(
  sources: ReadonlyMap<string, string>,
  shown: Acceptable,
): string | null {
  const { at, code } = shown;
  const text = at === null ? undefined : sources.get(at.file);
  if (at === null || text === undefined) return null;
  const lines = text.split("\n");
  for (let line = at.line; line > Math.max(0, at.line - linesAbove); line--) {
    const match = form.exec(lines[line - 1] ?? "");
    if (match === null) {
      // Comments above the line only: other code ends the search.
      if (line < at.line && !/^\s*(?:\/\/|\/?\*|$)/.test(lines[line - 1] ?? "")) return null;
      continue;
    }
    const [, accepted, only = "", reason = ""] = match;
    if (accepted !== code || reason.length < reasonCharsMin) continue;
    if (covers(only, shown)) return reason;
  }
  return null;
}

/** Whether all that was shown is named. A deleted row is named by its table alone. */
function covers(only: string, { subject, fields, changed }: Acceptable): boolean {
  if (only === "") return true;
  const named = only.split(/[\s,]+/).map((each) => /^([^=]*)(?:=(.*))?$/.exec(each) ?? []);
  const isNamed = (what: string): boolean =>
    named.some(
      ([, name = "", value]) =>
        (name === what || name === what.split(".")[0]) &&
        (value === undefined || value === wordOf(changed?.before?.[name.split(".")[1] ?? ""])),
    );
  const shown = fields.map((field) => (field.includes(".") ? field : `${subject}.${field}`));
  return shown.length > 0 ? shown.every(isNamed) : isNamed(changed?.table ?? subject);
}

function wordOf(value: Json | undefined): string | null {
  return typeof value === "string" ? value : JSON.stringify(value ?? null);
}
