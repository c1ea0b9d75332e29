// Rows of an import that refer to rows of their own table which are not there yet. When the others were
// written they are tried again, each after those that it refers to. Rows that refer to each other in a
// circle are created without the optional references of the circle, and get these when all are there.
import type { DataDoor, DoorTable, Row, RowOutcome, RowWrite } from "./data-door.ts";
import { leadingTo, onCircles, targetsFirst } from "./row-order.ts";

/** Rows that one write takes to a door. */
export const batchRows = 200;
/** What the rows that wait may hold together, as JSON. */
const waitingCharsMax = 134_217_728;

/** A row on its way into the table. */
export interface ImportedRow extends RowWrite {
  readonly line: number;
  /** As the file has it. */
  readonly raw: Row;
}

/** A row and what came of it. */
export interface SettledRow {
  readonly row: ImportedRow;
  readonly outcome: RowOutcome;
}

/** Where the rows go. */
export interface WaitingPlace {
  readonly door: DataDoor;
  readonly tableName: string;
  readonly table: DoorTable;
  readonly upsert: string | null;
}

type Refusal = Extract<RowOutcome, { readonly kind: "refused" }>;
type Settle = (row: ImportedRow, outcome: RowOutcome) => void;

/** The rows of one import that wait for others. */
export class WaitingRows {
  readonly #place: WaitingPlace;
  /** Fields that refer to rows of the same table. */
  readonly #refs: readonly string[];
  #waiting: ImportedRow[] = [];
  /** Rows that an earlier run created without the references of a circle: to be completed. */
  #incomplete: ImportedRow[] = [];
  #chars = 0;

  constructor(place: WaitingPlace) {
    this.#place = place;
    const { fields } = place.table;
    this.#refs = Object.keys(fields).filter((name) => {
      const spec = fields[name];
      return spec?.kind === "ref" && spec.table === place.tableName;
    });
  }

  /** Whether a row that was refused waits from now on. */
  takes(row: ImportedRow, refused: Refusal): boolean {
    if (this.#lacksRow(refused)) this.#waiting.push(row);
    else if (this.#isIncomplete(row, refused)) this.#incomplete.push(row);
    else return false;
    this.#chars += JSON.stringify(row.value).length;
    return true;
  }

  /** Whether they should be settled before more rows are read. */
  get isFull(): boolean {
    return this.#chars > waitingCharsMax;
  }

  /** Writes all that can be written. @param settle is told of every row that waited, once. */
  async settle(settle: Settle): Promise<void> {
    const waiting = this.#waiting;
    const incomplete = this.#incomplete.map((row): SettledRow => {
      return { row, outcome: { kind: "repeated" } };
    });
    this.#waiting = [];
    this.#incomplete = [];
    this.#chars = 0;
    const left = await this.#writeRounds(waiting, settle);
    const circles = this.#circlesOf(left);
    incomplete.push(...(await this.#createCircles(circles, settle)));
    const rest = rowsOf(left).filter((row) => !circles.has(row));
    for (const { row, outcome } of await this.#writeRounds(rest, settle)) settle(row, outcome);
    await this.#complete(incomplete, settle);
  }

  /** Writes rows until nothing moves. @returns those that still lack a row of this table. */
  async #writeRounds(rows: readonly ImportedRow[], settle: Settle): Promise<readonly SettledRow[]> {
    let left = targetsFirst(rows, this.#refs);
    for (;;) {
      const again: SettledRow[] = [];
      for (const { row, outcome } of await this.#write(left, this.#place.upsert)) {
        if (this.#lacksRow(outcome)) again.push({ row, outcome });
        else settle(row, outcome);
      }
      if (again.length === 0 || again.length === left.length) return again;
      left = rowsOf(again);
    }
  }

  /** Rows that lack each other only, and no row that nobody brings. */
  #circlesOf(left: readonly SettledRow[]): ReadonlySet<ImportedRow> {
    const rows = rowsOf(left);
    const ids = new Set(rows.map(({ value }) => value["id"]));
    const hopeless = left.filter(({ row, outcome }) => {
      const field = this.#lackingField(outcome);
      return field !== null && !ids.has(row.value[field]);
    });
    const lost = leadingTo(rows, this.#refs, rowsOf(hopeless));
    return onCircles(
      rows.filter((row) => !lost.has(row)),
      this.#refs,
    );
  }

  /** Creates the rows of circles without the references that can be set later. @returns those that now lack them. */
  async #createCircles(
    circles: ReadonlySet<ImportedRow>,
    settle: Settle,
  ): Promise<readonly SettledRow[]> {
    const ids = new Set([...circles].map(({ value }) => value["id"]));
    const whole = new Map<ImportedRow, ImportedRow>();
    for (const row of circles) {
      const kept = Object.entries(row.value).filter(
        ([field, value]) => !(this.#canWait(field) && ids.has(value)),
      );
      whole.set({ ...row, value: Object.fromEntries(kept) }, row);
    }
    const created: SettledRow[] = [];
    const wholeOf = (row: ImportedRow) => whole.get(row) as ImportedRow;
    const lost = await this.#writeRounds([...whole.keys()], (row, outcome) => {
      if (outcome.kind === "refused") settle(wholeOf(row), outcome);
      else created.push({ row: wholeOf(row), outcome });
    });
    for (const { row, outcome } of lost) settle(wholeOf(row), inCircle(outcome));
    return created;
  }

  /** Sets the references of rows that were created without them. */
  async #complete(rows: readonly SettledRow[], settle: Settle): Promise<void> {
    const upserted = rows.filter(({ row }) => row.key === null);
    const created = rows.filter(({ row }) => row.key !== null);
    const completed = [
      ...(await this.#write(rowsOf(upserted), this.#place.upsert)),
      ...(await this.#write(
        rowsOf(created).map((row) => this.#refsOf(row)),
        "id",
      )),
    ];
    for (const [index, before] of [...upserted, ...created].entries()) {
      const { outcome } = completed[index] as SettledRow;
      // With other content its key was used when the references were set by an earlier run, and changed since.
      const isSet = outcome.kind !== "refused" || outcome.code === "IDEMPOTENCY_KEY_REUSED";
      settle(before.row, isSet ? before.outcome : withoutRefs(outcome, this.#refs));
    }
  }

  /** The write that sets the references of a row that is there. */
  #refsOf({ line, raw, key, value }: ImportedRow): ImportedRow {
    const named = Object.entries(value).filter(([name]) => name === "id" || this.#canWait(name));
    return { line, raw, key: `${key}:refs`, value: Object.fromEntries(named) };
  }

  async #write(rows: readonly ImportedRow[], upsert: string | null): Promise<SettledRow[]> {
    const { door, tableName } = this.#place;
    const written: SettledRow[] = [];
    for (let from = 0; from < rows.length; from += batchRows) {
      const part = rows.slice(from, from + batchRows);
      const outcomes = await door.write(tableName, part, upsert);
      written.push(...part.map((row, index) => ({ row, outcome: outcomes[index] as RowOutcome })));
    }
    return written;
  }

  #lacksRow(outcome: RowOutcome): boolean {
    return this.#lackingField(outcome) !== null;
  }

  /** The field whose row of this table is not there, when that is why a row was refused. */
  #lackingField(outcome: RowOutcome): string | null {
    if (outcome.kind !== "refused" || outcome.code !== "REF_MISSING") return null;
    const { field } = outcome.details as { readonly field?: string };
    return field !== undefined && this.#refs.includes(field) ? field : null;
  }

  /** Its key was used with other content, which is made of the row's own: with fewer references. */
  #isIncomplete({ value }: ImportedRow, { code }: Refusal): boolean {
    if (code !== "IDEMPOTENCY_KEY_REUSED" || typeof value["id"] !== "string") return false;
    return this.#refs.some((field) => this.#canWait(field) && typeof value[field] === "string");
  }

  /** Whether a row can be there without this reference, and get it later. */
  #canWait(field: string): boolean {
    const spec = this.#place.table.fields[field];
    return this.#refs.includes(field) && spec?.optional === true && spec.immutable !== true;
  }
}

function rowsOf(settled: readonly SettledRow[]): readonly ImportedRow[] {
  return settled.map(({ row }) => row);
}

function inCircle(outcome: RowOutcome): RowOutcome {
  if (outcome.kind !== "refused") return outcome;
  const why =
    "The rows of this file refer to each other in a circle, by references that can't be left out first because they are required or immutable.";
  return { ...outcome, text: `${outcome.text} ${why}` };
}

function withoutRefs(refused: Refusal, refs: readonly string[]): RowOutcome {
  const what = `The row is there, without its references (${refs.join(", ")}); import it with --upsert=id to set them.`;
  return { ...refused, text: `${refused.text} ${what}` };
}
