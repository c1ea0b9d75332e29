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
  return run.count(isRead && !run.isStopped);
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
  private batch: ImportedRow[] = [];
  private columnsChecked = false;

  constructor(order: ImportOrder) {
    this.order = order;
    this.waiting = new WaitingRows(order);
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
    const { map, table, source } = this.order;
    const record = source.format === "ndjson" ? mendedRecord(read, table) : read;
    this.counts.read++;
    if (record.kind === "broken") {
      const { line, reason, text } = record;
      this.refuse({ line, code: "LINE_UNREADABLE", reason, details: {}, record: text });
      if (this.order.onError === "stop") await this.flush();
      return;
    }
    const isText = source.format === "csv" || source.format === "tsv";
    const value = rowOfRecord(record.value, map, table.fields, isText);
    this.batch.push({ line: record.line, key: this.keyOf(value), value });
    if (this.batch.length === batchRows) await this.flush();
  }

  async flush(): Promise<void> {
    const { door, tableName, upsert, onProgress, stop } = this.order;
    const batch = this.batch;
    this.batch = [];
    const outcomes = batch.length === 0 ? [] : await door.write(tableName, batch, upsert);
    for (const [index, row] of batch.entries()) {
      const outcome = outcomes[index] as RowOutcome;
      const waits = outcome.kind === "refused" && this.waiting.takes(row, outcome);
      if (!waits) this.settle(row, outcome);
    }
    if (this.waiting.isFull) await this.settleWaiting();
    onProgress(this.count(false));
    if (stop.aborted) this.isStopped = true;
  }

  /** Rows that waited for others of the file get their outcome. */
  async settleWaiting(): Promise<void> {
    await this.waiting.settle((row, outcome) => this.settle(row, outcome));
  }

  private settle({ line, value }: ImportedRow, outcome: RowOutcome): void {
    if (outcome.kind !== "refused") {
      this.counts[outcome.kind]++;
      return;
    }
    const { code, text, details } = outcome;
    this.refuse({ line, code, reason: text, details, record: value });
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
