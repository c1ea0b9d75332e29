// Loaded into a server before all else (--import): while a file is there, no database of it grows by a page. What
// SQLite says then is what it says on a full disk.
import { existsSync } from "node:fs";
import { createRequire, syncBuiltinESMExports } from "node:module";
import type { DatabaseSync } from "node:sqlite";

const pagesMax = 1_073_741_823;
const file = process.env["KEELSON_TEST_FULL"];
if (file !== undefined) {
  const sqlite = createRequire(import.meta.url)("node:sqlite") as {
    DatabaseSync: typeof DatabaseSync;
  };
  const open = new Set<DatabaseSync>();
  sqlite.DatabaseSync = class extends sqlite.DatabaseSync {
    constructor(path: string, options?: ConstructorParameters<typeof DatabaseSync>[1]) {
      super(path, options);
      open.add(this);
    }
  };
  syncBuiltinESMExports();
  let isFull = false;
  setInterval(() => {
    const wasFull = isFull;
    isFull = existsSync(file);
    if (isFull === wasFull) return;
    for (const database of open) {
      // A number below the pages that there are means: those.
      if (database.isOpen) database.exec(`PRAGMA max_page_count = ${isFull ? 1 : pagesMax}`);
      else open.delete(database);
    }
  }, 10).unref();
}
