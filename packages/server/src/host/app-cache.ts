// The built app of the last start, kept in the data folder: an unchanged app needs no bundler and no parser to
// start again. It is found again by the content of every file that went in and by what built it; anything
// that does not fit is built anew. Whoever can write the data folder can already change the app's data.
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import type { Disk } from "../base/disk.ts";
import type { Bundle } from "../isolate/app-isolate.ts";
import { deepFreeze } from "../model/manifest-json.ts";
import type { Manifest } from "../model/manifest.ts";

/** An app, built. */
export interface BuiltApp {
  readonly manifest: Manifest;
  readonly bundle: Bundle;
}

/** What finding or building needs. */
export interface AppCacheParts {
  readonly disk: Disk;
  readonly clock: Clock;
  /** Absolute. */
  readonly appDir: string;
  /** Absolute; its folder exists. */
  readonly file: string;
  /** Names what builds: a build of another one is not used. */
  readonly builder: string;
  /** Builds the app. @throws AppInvalid. */
  build(): Promise<BuiltApp>;
}

interface CacheFile {
  readonly builder: string;
  /** SHA-256 by file, relative to the app's folder. */
  readonly sources: Readonly<Record<string, string>>;
  readonly app: BuiltApp;
}

/** @returns the app as its files are now, from the cache when it is there. @throws what `build` throws. */
export async function buildOrFind(parts: AppCacheParts): Promise<BuiltApp> {
  const found = find(parts);
  if (found !== null) return found;
  const startedMs = parts.clock.nowMs();
  const app = await parts.build();
  keep(parts, app, startedMs);
  return app;
}

function find({ disk, file, builder, appDir }: AppCacheParts): BuiltApp | null {
  const bytes = disk.read(file);
  if (bytes === null) return null;
  let cached: CacheFile;
  try {
    cached = JSON.parse(Buffer.from(bytes).toString("utf8")) as CacheFile;
    if (cached.builder !== builder) return null;
    for (const [name, hash] of Object.entries(cached.sources)) {
      if (hashOf(disk.read(join(appDir, name))) !== hash) return null;
    }
  } catch {
    // A cache that can't be read is no cache.
    return null;
  }
  return { manifest: deepFreeze(cached.app.manifest), bundle: deepFreeze(cached.app.bundle) };
}

function keep(parts: AppCacheParts, app: BuiltApp, startedMs: number): void {
  const { disk, file, builder, appDir } = parts;
  const sources: Record<string, string> = {};
  for (const name of app.bundle.files) {
    const path = join(appDir, name);
    const entry = disk.stat(path);
    // Changed since the build began: what was built may be the older text.
    if (entry === null || entry.modifiedMs >= startedMs) return;
    sources[name] = hashOf(disk.read(path));
  }
  const cached: CacheFile = { builder, sources, app };
  disk.writeAtomically(file, JSON.stringify(cached));
}

function hashOf(bytes: Uint8Array | null): string {
  return createHash("sha256")
    .update(bytes ?? "")
    .digest("hex");
}
