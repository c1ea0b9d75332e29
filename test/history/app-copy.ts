// A copy of the app that changes, for servers that take up new versions.
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A copy. */
export interface AppCopy {
  readonly appDir: string;
  /** Changes it: another version, which does the same. */
  change(): void;
}

/** @param folder where the copy is made. */
export function copyApp(folder: string): AppCopy {
  const appDir = join(folder, "app");
  mkdirSync(appDir, { recursive: true });
  cpSync(join(import.meta.dirname, "app"), appDir, { recursive: true });
  symlinkSync(join(import.meta.dirname, "..", "..", "node_modules"), join(appDir, "node_modules"));
  const file = join(appDir, "keelson", "history.ts");
  const source = readFileSync(file, "utf8");
  let version = 0;
  return {
    appDir,
    change: () =>
      writeFileSync(
        file,
        `${source}\nexport const version = query({ allow: "anyone", run: () => ${++version} });\n`,
      ),
  };
}
