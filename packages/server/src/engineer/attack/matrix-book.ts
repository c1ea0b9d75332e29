// The access matrix as it fills: every answered probe of rights counts for a cell. A refusal counts as one only
// with a code that speaks of rights; everything else is unclear.
import type { CellVerdict, MatrixCell } from "./attack-report.ts";
import type { Observation } from "./session.ts";

type Operation = MatrixCell["operation"];

interface Cell {
  allowed: number;
  denied: number;
  unclear: number;
  readonly fields: Map<string, { allowed: number; denied: number }>;
}

/** Codes that refuse for want of a right. */
export const denialCodes: ReadonlySet<string> = new Set([
  "RULE_DENIED",
  "NOT_FOUND",
  "FIELD_NOT_WRITABLE",
  "FIELD_NOT_READABLE",
  "SIGN_IN_REQUIRED",
  "CALL_DENIED",
  "REF_MISSING",
  "TABLE_NOT_FOUND",
]);

/** Codes that refuse a field that no caller ever writes. */
export const closedFieldCodes: ReadonlySet<string> = new Set([
  "FIELD_UNKNOWN",
  "FIELD_IMMUTABLE",
  "VALUE_INVALID",
]);

/** Collects cells. */
export class MatrixBook {
  readonly #cells = new Map<string, Cell>();

  /** Counts a probe of a right. @param field the field that it was about, or null for the row. */
  count(seen: Observation, table: string, operation: Operation, field: string | null = null): void {
    const cell = this.#cell(seen.by.name, table, operation);
    const isDenied = seen.code !== null && denialCodes.has(seen.code);
    if (field !== null) {
      const own = cell.fields.get(field) ?? { allowed: 0, denied: 0 };
      if (seen.isOk) own.allowed += 1;
      else if (isDenied || closedFieldCodes.has(seen.code ?? "")) own.denied += 1;
      cell.fields.set(field, own);
    }
    if (seen.isOk) cell.allowed += 1;
    else if (isDenied || (field !== null && closedFieldCodes.has(seen.code ?? "")))
      cell.denied += 1;
    else cell.unclear += 1;
  }

  /** Counts fields of a row that was read. */
  countFields(by: string, table: string, shown: ReadonlySet<string>, all: readonly string[]): void {
    const cell = this.#cell(by, table, "read");
    for (const field of all) {
      const own = cell.fields.get(field) ?? { allowed: 0, denied: 0 };
      if (shown.has(field)) own.allowed += 1;
      else own.denied += 1;
      cell.fields.set(field, own);
    }
  }

  /** @param controls what shows, by table and operation, that refusals were refusals. */
  list(
    identities: readonly string[],
    tables: readonly string[],
    controls: (table: string, operation: Operation, identity: string) => string | null,
  ): readonly MatrixCell[] {
    const cells: MatrixCell[] = [];
    for (const table of tables) {
      for (const identity of identities) {
        for (const operation of ["read", "create", "update", "delete"] as const) {
          const { allowed, denied, unclear, fields } = this.#cell(identity, table, operation);
          const control = controls(table, operation, identity);
          const verdict = control === null ? "unknown" : verdictOf(allowed, denied);
          cells.push({
            ...{ identity, table, operation, verdict, allowed, denied, unclear },
            control: control ?? "none: nobody succeeded with the same",
            fields: Object.fromEntries(
              [...fields].map(([field, own]) => [field, verdictOf(own.allowed, own.denied)]),
            ),
          });
        }
      }
    }
    return cells;
  }

  /** Who succeeded with an operation on a table. */
  succeeded(table: string, operation: Operation, identities: readonly string[]): string | null {
    return identities.find((name) => this.#cell(name, table, operation).allowed > 0) ?? null;
  }

  #cell(identity: string, table: string, operation: Operation): Cell {
    const key = `${identity}\n${table}\n${operation}`;
    let cell = this.#cells.get(key);
    if (cell === undefined) {
      cell = { allowed: 0, denied: 0, unclear: 0, fields: new Map() };
      this.#cells.set(key, cell);
    }
    return cell;
  }
}

function verdictOf(allowed: number, denied: number): CellVerdict {
  if (allowed === 0 && denied === 0) return "unknown";
  if (denied === 0) return "all";
  return allowed === 0 ? "none" : "some";
}
