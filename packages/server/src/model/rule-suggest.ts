// "Did you mean": the nearest of the names that exist.

const namesShownMax = 12;

/** A fix for a name that does not exist. @param label what the names are: "Fields". */
export function errorName(name: string, names: readonly string[], label: string): string {
  const nearest = nearestName(name, names);
  const guess = nearest === null ? "" : `Did you mean \`${nearest}\`? `;
  const shown = names.slice(0, namesShownMax).map((each) => `\`${each}\``);
  const more = names.length > namesShownMax ? `, and ${names.length - namesShownMax} more` : "";
  return `${guess}${label}: ${shown.join(", ") || "none"}${more}.`;
}

/** The name that differs from `name` by the fewest edits, when those are few. */
export function nearestName(name: string, names: readonly string[]): string | null {
  let best: string | null = null;
  let bestEdits = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const each of names) {
    const edits = editsBetween(name.toLowerCase(), each.toLowerCase());
    if (edits < bestEdits) [best, bestEdits] = [each, edits];
  }
  return best;
}

/** Levenshtein's distance. */
function editsBetween(a: string, b: string): number {
  let before = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row++) {
    const now = [row];
    for (let column = 1; column <= b.length; column++) {
      const swap = (before[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      now.push(Math.min(swap, (before[column] ?? 0) + 1, (now[column - 1] ?? 0) + 1));
    }
    before = now;
  }
  return before[b.length] ?? 0;
}
