// The name that somebody most likely meant.

/**
 * Finds the nearest known name.
 * @param written what a person wrote. @param known all names that would do.
 * @returns a name within a third of its length in edits (at least one), or null when none is near.
 */
export function suggestion(written: string, known: readonly string[]): string | null {
  let best: string | null = null;
  let bestEdits = Infinity;
  for (const name of known) {
    const edits = name.startsWith(written) && written !== "" ? 1 : editsBetween(written, name);
    if (edits < bestEdits && edits <= Math.max(1, Math.floor(name.length / 3))) {
      best = name;
      bestEdits = edits;
    }
  }
  return best;
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
export function editsBetween(left: string, right: string): number {
  let older: number[] = [];
  let above = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const same = left[row - 1] === right[column - 1];
      let edits = Math.min(
        (above[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (above[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped =
        row > 1 &&
        column > 1 &&
        left[row - 1] === right[column - 2] &&
        left[row - 2] === right[column - 1];
      if (swapped) edits = Math.min(edits, (older[column - 2] ?? 0) + 1);
      current.push(edits);
    }
    older = above;
    above = current;
  }
  return above[right.length] ?? 0;
}
