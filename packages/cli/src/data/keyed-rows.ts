// Rows of an import whose references name other rows by a unique field (`--ref`): they are looked up before the rows are
// written. A row that names one of its own table which is not there yet is held until that one was written.
import type { Json } from "@keelson/sdk/spec";
import type { DataDoor, Row, RowOutcome } from "./data-door.ts";
import type { RefKey } from "./ref-keys.ts";

/** What held rows may hold together, as JSON. */
const heldCharsMax = 134_217_728;

/** A row as the file has it. */
export interface ReadRow {
  readonly line: number;
  readonly raw: Row;
}

/** One whose references are ids. */
export interface KeyedRow extends ReadRow {
  readonly value: Row;
}

type Refusal = Extract<RowOutcome, { readonly kind: "refused" }>;

/** Where references are looked up. */
export interface KeyedPlace {
  readonly door: Pick<DataDoor, "idsBy">;
  readonly tableName: string;
  readonly refs: readonly RefKey[];
}

interface Missing {
  readonly ref: RefKey;
  readonly wanted: Json;
}

/** The references of one import. */
export class KeyedRows {
  readonly #place: KeyedPlace;
  /** By the key that they wait for. */
  readonly #held = new Map<string, ReadRow[]>();
  #heldChars = 0;

  constructor(place: KeyedPlace) {
    this.#place = place;
  }

  /** Whether they should be settled before more rows are read. */
  get isFull(): boolean {
    return this.#heldChars > heldCharsMax;
  }

  /** Rows with their references; those that wait for a row of their own table are held. @param refuse is told of the others. */
  async look(
    rows: readonly ReadRow[],
    refuse: (row: ReadRow, refusal: Refusal) => void,
  ): Promise<readonly KeyedRow[]> {
    const { refs, tableName } = this.#place;
    const values: Record<string, Json>[] = rows.map(({ raw }) => ({ ...raw }));
    const missing: (Missing | undefined)[] = rows.map(() => undefined);
    for (const ref of refs) {
      const ids = await this.#idsOf(rows, ref);
      for (const [index, { raw }] of rows.entries()) {
        const wanted = raw[ref.field] ?? null;
        if (wanted === null) continue;
        const id = ids.get(JSON.stringify(wanted));
        const lacks = missing[index];
        if (id !== undefined) (values[index] as Record<string, Json>)[ref.field] = id;
        // What another table lacks, this file can't bring.
        else if (lacks === undefined || lacks.ref.table === tableName)
          missing[index] = { ref, wanted };
      }
    }
    const found: KeyedRow[] = [];
    for (const [index, row] of rows.entries()) {
      const lacks = missing[index];
      if (lacks === undefined) found.push({ ...row, value: values[index] as Row });
      else if (lacks.ref.table === tableName) this.#hold(row, lacks);
      else refuse(row, refusalOf(lacks));
    }
    return found;
  }

  /** Held rows that one of these may be what they wait for. They are held no more. */
  freedBy(rows: readonly ReadRow[]): readonly ReadRow[] {
    if (this.#held.size === 0) return [];
    const own = this.#place.refs.filter(({ table }) => table === this.#place.tableName);
    const keys = rows.flatMap(({ raw }) => own.map(({ by }) => heldKey(by, raw[by] ?? null)));
    return [...new Set(keys)].flatMap((key) => this.#take(key));
  }

  /** All held rows. They are held no more. */
  takeAll(): readonly ReadRow[] {
    return [...this.#held.keys()].flatMap((key) => this.#take(key));
  }

  /** Held rows whose rows did not come. They are held no more. */
  refuseAll(refuse: (row: ReadRow, refusal: Refusal) => void): void {
    const brought = new Set<string>();
    const own = this.#place.refs.filter(({ table }) => table === this.#place.tableName);
    for (const rows of this.#held.values()) {
      for (const { raw } of rows)
        for (const { by } of own) brought.add(heldKey(by, raw[by] ?? null));
    }
    for (const [key, rows] of this.#held) {
      for (const row of rows) {
        const ref = own.find(
          ({ field, by }) => heldKey(by, row.raw[field] ?? null) === key,
        ) as RefKey;
        refuse(row, refusalOf({ ref, wanted: row.raw[ref.field] ?? null }, brought.has(key)));
      }
    }
    this.#held.clear();
    this.#heldChars = 0;
  }

  #hold(row: ReadRow, { ref, wanted }: Missing): void {
    const key = heldKey(ref.by, wanted);
    const others = this.#held.get(key);
    if (others === undefined) this.#held.set(key, [row]);
    else others.push(row);
    this.#heldChars += JSON.stringify(row.raw).length;
  }

  #take(key: string): readonly ReadRow[] {
    const rows = this.#held.get(key) ?? [];
    this.#held.delete(key);
    for (const { raw } of rows) this.#heldChars -= JSON.stringify(raw).length;
    return rows;
  }

  async #idsOf(
    rows: readonly ReadRow[],
    { field, table, by, spec }: RefKey,
  ): Promise<ReadonlyMap<string, string>> {
    const isNumber = ["int", "number", "money"].includes(spec.kind);
    const wanted = new Map(
      rows.flatMap(({ raw }) => {
        const value = raw[field] ?? null;
        const fits = typeof value === (isNumber ? "number" : "string");
        return fits ? [[JSON.stringify(value), value] as const] : [];
      }),
    );
    if (wanted.size === 0) return new Map();
    const ids = await this.#place.door.idsBy(table, by, [...wanted.values()]);
    return new Map(
      [...wanted.keys()].flatMap((text, index) => {
        const id = ids[index] ?? null;
        return id === null ? [] : [[text, id] as const];
      }),
    );
  }
}

function heldKey(by: string, wanted: Json): string {
  return JSON.stringify([by, wanted]);
}

function refusalOf({ ref, wanted }: Missing, isInFile = false): Refusal {
  const { field, table, by } = ref;
  const why = isInFile
    ? ` It is in this file and could not be written: refused as well, or the rows refer to each other in a circle. Leave the reference out first (--map "column="), then import again with it and --upsert=${by}.`
    : "";
  return {
    kind: "refused",
    code: "REF_MISSING",
    text: `${field}: there is no ${table} whose ${by} is ${JSON.stringify(wanted)}.${why}`,
    details: { field, table, by, value: wanted },
  };
}
