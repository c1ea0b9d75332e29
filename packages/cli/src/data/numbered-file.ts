// A file of results beside others of its kind: each run has its own, because an earlier one may be all that tells something.
import { openSync } from "node:fs";
import { fileUnwritable } from "../flags/file-failure.ts";

/** A file that is open for writing. The caller closes it. */
export interface NumberedFile {
  readonly path: string;
  readonly descriptor: number;
}

/**
 * Makes the first of `a.ndjson`, `a.2.ndjson`, `a.3.ndjson`... that is not there; only its owner may read it.
 * @param stem `a`. @param ending `.ndjson`. @throws Failure (exit 12) FILE_UNWRITABLE.
 */
export function openNumbered(stem: string, ending: string): NumberedFile {
  for (let number = 1; ; number += 1) {
    const path = number === 1 ? `${stem}${ending}` : `${stem}.${number}${ending}`;
    try {
      return { path, descriptor: openSync(path, "wx", 0o600) };
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw fileUnwritable(path, cause);
    }
  }
}
