// Rows in columns, for people. Widths count code points, so that most scripts line up.

/**
 * Lays rows out in columns two spaces apart; the last column is not padded.
 * @param align per column; numbers read best "right". Default left.
 */
export function tableText(
  rows: readonly (readonly string[])[],
  align: readonly ("left" | "right")[] = [],
): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, lengthOf(cell));
    }
  }
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const gap = " ".repeat((widths[column] ?? 0) - lengthOf(cell));
        if (align[column] === "right") return gap + cell;
        return column === row.length - 1 ? cell : cell + gap;
      })
      .join("  ")
      .trimEnd(),
  );
}

function lengthOf(text: string): number {
  return Array.from(text).length;
}

/** A count with its noun: `1 row`, `2,000 rows`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? one : many}`;
}
