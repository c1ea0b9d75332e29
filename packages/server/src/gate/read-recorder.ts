// What a run reads, told to whoever wants to run it again when that changes (live queries). A port: the gate
// reports reads as it makes them, with the rights that they were made with, and does not know what becomes
// of it. Rules that the store or the answer's filter look at follow from table and reach: not told one by one.
import type { AggregateQuery, ListQuery, WithTerm } from "../model/query-form.ts";
import type { Row } from "../store/store.ts";
import type { Reach } from "./caller-rights.ts";
import type { Authority } from "./table-rules.ts";

/** In whose name a read is made, and what that may see. */
export interface ReadRights {
  readonly as: Authority;
  readonly reach: Reach;
}

/** Rows as they came from the store. */
export interface CameRows {
  readonly rows: readonly Row[];
  /** Cursor of what follows; null for the end, and for rows that are no page. */
  readonly next: string | null;
}

/** Told of reads before they are made, so that one that fails is known too. */
export interface ReadRecorder {
  /** A row by id. @param terms with the names that the store fills in. @returns told of the row, if it came. */
  row(
    read: { readonly table: string; readonly id: string; readonly terms: readonly WithTerm[] },
    rights: ReadRights,
  ): (row: Row | null) => void;
  /** Rows that match. @param query as the store is asked. @returns told of a list's rows. */
  rows(query: ListQuery | AggregateQuery, rights: ReadRights): (came: CameRows) => void;
}
