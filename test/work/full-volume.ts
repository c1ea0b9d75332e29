// Places for a server's data that a test can fill and make room in again, while the server runs.
import { execFileSync } from "node:child_process";
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** One of them. */
export interface FullVolume {
  readonly dataDir: string;
  /** Flags of Node for the server. */
  readonly nodeFlags: readonly string[];
  /** Variables of the server. */
  readonly environment: Readonly<Record<string, string>>;
  fill(): void;
  free(): void;
  close(): void;
}

/** A file system of its own, of which a file of the test takes what is left. @throws who may not mount. */
export function openMountedVolume(mebibytes: number): FullVolume {
  const folder = mkdtempSync(join(tmpdir(), "keelson-full-"));
  const ballast = join(folder, "ballast");
  try {
    const options = ["-t", "tmpfs", "-o", `size=${mebibytes}m`, "tmpfs", folder];
    execFileSync("mount", options, { stdio: "pipe" });
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  const dataDir = join(folder, "data");
  mkdirSync(dataDir);
  return {
    dataDir,
    nodeFlags: [],
    environment: {},
    fill: () => writeUntilFull(ballast),
    free: () => rmSync(ballast, { force: true }),
    close() {
      execFileSync("umount", ["--lazy", folder]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function writeUntilFull(file: string): void {
  const out = openSync(file, "w");
  try {
    // Large pieces, then small ones: not a page is left.
    for (const bytes of [1_048_576, 4_096]) {
      const piece = Buffer.alloc(bytes);
      for (;;) {
        try {
          if (writeSync(out, piece) < bytes) break;
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code === "ENOSPC") break;
          throw error;
        }
      }
    }
  } finally {
    closeSync(out);
  }
}

/** Everywhere: the engine itself refuses every page more than the file has (freeze-pages.ts). */
export function openFrozenVolume(): FullVolume {
  const folder = mkdtempSync(join(tmpdir(), "keelson-full-"));
  const file = join(folder, "full");
  const dataDir = join(folder, "data");
  mkdirSync(dataDir);
  return {
    dataDir,
    nodeFlags: [`--import=${new URL("freeze-pages.ts", import.meta.url).href}`],
    environment: { KEELSON_TEST_FULL: file },
    fill: () => writeFileSync(file, ""),
    free: () => rmSync(file, { force: true }),
    close: () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }),
  };
}
