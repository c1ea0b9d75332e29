// The app's own sheet for identity's pages: keelson/auth.css. While somebody develops it is read for each page, so that
// an edit counts at once; in production once for each version of the app.
import { join } from "node:path";
import type { Disk } from "../base/disk.ts";

/** Opens the sheet for a version. @param appDir absolute. @returns asks for it; null: there is none. */
export function openAuthTheme(
  disk: Pick<Disk, "read">,
  { appDir, mode }: { readonly appDir: string; readonly mode: "development" | "production" },
): () => string | null {
  const file = join(appDir, "keelson", "auth.css");
  const read = (): string | null => {
    const bytes = disk.read(file);
    return bytes === null ? null : Buffer.from(bytes).toString("utf8");
  };
  if (mode === "development") return read;
  const sheet = read();
  return () => sheet;
}
