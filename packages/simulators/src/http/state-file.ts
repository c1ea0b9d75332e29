// Where a simulator keeps what it knows, so that a new process goes on with it: one JSON file, replaced whole.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

const fileMode = 0o600;

/** What was kept; null when there is nothing, or nothing that can be read. @param version other ones are not read. */
export function readState(file: string, version: number): object | null {
  try {
    const kept = JSON.parse(readFileSync(file, "utf8")) as { readonly version?: unknown };
    return kept.version === version ? kept : null;
  } catch {
    return null;
  }
}

/** Keeps a value in place of what was kept before. */
export function writeState(file: string, value: { readonly version: number }): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, JSON.stringify(value), { mode: fileMode });
  renameSync(`${file}.new`, file);
}
