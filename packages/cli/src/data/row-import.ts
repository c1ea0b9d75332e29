// Moves the rows of a file into a table. Every record that was read ends in exactly one count: imported,
// or refused with its line and reason. A new row carries a key made of its content and of how many equal
// rows came before it, so a run that was cut off, or a mended file, can simply be imported again: rows
// that are there are not written twice (within the day that keys are remembered). An upsert needs no key:
// it finds its row and makes it what the record says.
import { createHash } from "node:crypto";
import { assertColumns, rowOfRecord, type ColumnMap } from "./column-map.ts";
import type { DataDoor, DoorTable, Row, RowOutcome } from "./data-door.ts";
import type { RecordSource } from "./record-source.ts";
import { mendedRecord, type RefusedRecord } from "./refused-record.ts";
import type { SourceRecord } from "./source-record.ts";
import { KeyedRows, type KeyedRow, type ReadRow } from "./keyed-rows.ts";
import type { RefKey } from "./ref-keys.ts";
import { batchRows, WaitingRows, type ImportedRow } from "./waiting-rows.ts";

/** What came of an import so far. `read` is the sum of the five others. */
export interface ImportCount {
  readonly read: number;
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly repeated: number;
  readonly refused: number;
  /** False: reading stopped at a refusal, or when asked to. */
  readonly isWhole: boolean;
}

/** What an import is told. */
export interface ImportOrder {
  readonly door: DataDoor;
  readonly source: RecordSource;
  readonly tableName: string;
  readonly table: DoorTable;
  readonly map: ColumnMap;
  /** Of times that name none. */
  readonly zone: string | null;
  /** References that name rows by another field than their id. */
  readonly refs: readonly RefKey[];
  readonly upsert: string | null;
  /** `stop`: no further batch is begun after a refusal. */
  readonly onError: "stop" | "skip";
  /** Part of every key: a different one imports the same rows again. */
  readonly salt: string;
  readonly stop: AbortSignal;
  readonly onProgress: (count: ImportCount) => void;
  readonly onRefused: (refused: RefusedRecord) => void;
}

/** Imports every record of a source. @throws Failure COLUMNS_UNKNOWN before the first row; what the door throws. */
export async function importRows(order: ImportOrder): Promise<ImportCount> {
  const run = new ImportRun(order);
  const isRead = await readRecords(order.source, run);
  if (isRead) {
    run.checkColumns();
    await run.flush();
  }
  await run.settleWaiting();
  return run.count(isRead);
}

/** @returns false: stopped before the end. */
async function readRecords(source: RecordSource, run: ImportRun): Promise<boolean> {
  for await (const records of source.records()) {
    for (const record of records) {
      await run.take(record);
      if (run.isStopped) return false;
    }
  }
  return true;
}

class ImportRun {
  isStopped = false;
  private readonly order: ImportOrder;
  private readonly seen = new Map<string, number>();
  private readonly counts = {
    read: 0,
    created: 0,
    updated: 0,
    unchanged: 0,
    repeated: 0,
    refused: 0,
  };
  private readonly waiting: WaitingRows;
  private readonly keyed: KeyedRows;
  /** Of the cells of a file: a reference that is looked up holds what that field holds. */
  private readonly fields: DoorTable["fields"];
  private batch: ReadRow[] = [];
  private columnsChecked = false;

  constructor(order: ImportOrder) {
    this.order = order;
    this.waiting = new WaitingRows(order);
    this.keyed = new KeyedRows(order);
    const looked = order.refs.map(({ field, spec }) => [field, spec] as const);
    this.fields = { ...order.table.fields, ...Object.fromEntries(looked) };
  }

  count(isWhole: boolean): ImportCount {
    return { ...this.counts, isWhole };
  }

  checkColumns(): void {
    const columns = this.order.source.columns();
    if (this.columnsChecked || columns === null) return;
    assertColumns(columns, this.order.map, this.order.table.fields);
    this.columnsChecked = true;
  }

  async take(read: SourceRecord): Promise<void> {
    this.checkColumns();
    const { map, table, source, zone } = this.order;
    const record = source.format === "ndjson" ? mendedRecord(read, table) : read;
    this.counts.read++;
    if (record.kind === "broken") {
      const { line, reason, text } = record;
      this.refuse({ line, code: "LINE_UNREADABLE", reason, details: {}, record: text });
      if (this.order.onError === "stop") await this.flush();
      return;
    }
    const isText = source.format === "csv" || source.format === "tsv";
    const raw = rowOfRecord(record.value, { map, fields: this.fields, isText, zone });
    this.batch.push({ line: record.line, raw });
    if (this.batch.length === batchRows) await this.flush();
  }

  async flush(): Promise<void> {
    const { onProgress, stop } = this.order;
    const batch = this.batch;
    this.batch = [];
    await this.writeWaves(batch);
    if (this.waiting.isFull || this.keyed.isFull) await this.settleWaiting();
    onProgress(this.count(false));
    if (stop.aborted) this.isStopped = true;
  }

  /** Rows that waited for others of the file get their outcome. */
  async settleWaiting(): Promise<void> {
    await this.waiting.settle((row, outcome) => this.settle(row, outcome));
    await this.writeWaves(this.keyed.takeAll());
    // Some of those may have waited for rows in turn.
    await this.waiting.settle((row, outcome) => this.settle(row, outcome));
    this.keyed.refuseAll((row, outcome) => this.settle(row, outcome));
  }

  /** Writes rows, then those that waited for them, and so on. */
  private async writeWaves(rows: readonly ReadRow[]): Promise<void> {
    for (let wave = rows; wave.length > 0;) {
      const refuse = (row: ReadRow, outcome: RowOutcome): void => this.settle(row, outcome);
      const freed: ReadRow[] = [];
      for (let from = 0; from < wave.length; from += batchRows) {
        const part = wave.slice(from, from + batchRows);
        const ready = await this.keyed.look(part, refuse);
        await this.write(ready);
        freed.push(...this.keyed.freedBy(ready));
      }
      wave = freed;
    }
  }

  private async write(rows: readonly KeyedRow[]): Promise<void> {
    const { door, tableName, upsert } = this.order;
    if (rows.length === 0) return;
    const batch = rows.map((row): ImportedRow => ({ ...row, key: this.keyOf(row.value) }));
    const outcomes = await door.write(tableName, batch, upsert);
    for (const [index, row] of batch.entries()) {
      const outcome = outcomes[index] as RowOutcome;
      const waits = outcome.kind === "refused" && this.waiting.takes(row, outcome);
      if (!waits) this.settle(row, outcome);
    }
  }

  private settle({ line, raw }: ReadRow, outcome: RowOutcome): void {
    if (outcome.kind !== "refused") {
      this.counts[outcome.kind]++;
      return;
    }
    const { code, text, details } = outcome;
    this.refuse({ line, code, reason: text, details, record: raw });
  }

  private refuse(refused: RefusedRecord): void {
    this.counts.refused++;
    if (this.order.onError === "stop") this.isStopped = true;
    this.order.onRefused(refused);
  }

  private keyOf(value: Row): string | null {
    const { tableName, upsert, salt } = this.order;
    if (upsert !== null && (value[upsert] ?? null) !== null) return null;
    const content = JSON.stringify([tableName, upsert, salt, value]);
    const hash = createHash("sha256").update(content).digest("base64url");
    const before = this.seen.get(hash) ?? 0;
    this.seen.set(hash, before + 1);
    return `import:${hash}:${before}`;
  }
}
