// Where the versions of one app come from: its folder, by way of the caches in the data folder. What takes
// long to load (bundler, parser of rules) is loaded when an app has to be built, not before.
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import type { Disk } from "../base/disk.ts";
import type { Limits } from "../base/limits.ts";
import type { AppLoader, LoadedApp } from "../isolate/app-load.ts";
import { CpuWatchdog } from "../isolate/cpu-watchdog.ts";
import { guestCode } from "../isolate/guest-code.ts";
import { IsolateImage } from "../isolate/isolate-image.ts";
import { IsolatePool } from "../isolate/isolate-pool.ts";
import type { IsolatePorts } from "../isolate/isolated-app.ts";
import { buildOrFind, type BuiltApp } from "./app-cache.ts";
import type { AppIsolates } from "./backend.ts";
import { builderName } from "./builder-name.ts";
import { prepareGuest } from "./guest-cache.ts";
import { environmentSecret } from "./environment-secret.ts";
import { openRealEgress } from "./real-egress.ts";

/** What a source needs. Folders are absolute. */
export interface AppSourceParts {
  readonly appDir: string;
  readonly dataDir: string;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly limits: Limits;
  /** In development the bundler is kept for the next build, and errors tell the app's file and line. */
  readonly mode: "development" | "production";
  /** What functions reach. Default: the network, and the environment's secrets. */
  readonly world?: Pick<IsolatePorts, "egress" | "secret">;
}

/** Makes versions of one app. */
export interface AppSource {
  /** The app as its files are now. @throws AppInvalid with every mistake found. */
  build(): Promise<BuiltApp>;
  /** Isolates for a version that `build` gave. */
  openIsolates(app: BuiltApp): Promise<AppIsolates>;
  /** What isolates of other threads start from; `works` is to be called once one was made. */
  guest(): Promise<{ readonly snapshot: ArrayBuffer; works(): void }>;
  /** When none of its isolates is needed any more: their CPU limit ends with it. */
  close(): Promise<void>;
}

/** Opens the source of an app. Nothing is read yet. */
export function openAppSource(parts: AppSourceParts): AppSource {
  return new FolderSource(parts);
}

class FolderSource implements AppSource {
  readonly #parts: AppSourceParts;
  readonly #cacheDir: string;
  #ports: IsolatePorts | null = null;
  #builder: string | null = null;
  #guest: Promise<() => void> | null = null;
  #loader: AppLoader | null = null;
  /** The app that was built last, while nobody has taken its isolate. */
  #fresh: LoadedApp | null = null;

  constructor(parts: AppSourceParts) {
    this.#parts = parts;
    this.#cacheDir = join(parts.dataDir, "cache");
  }

  async build(): Promise<BuiltApp> {
    const { disk, clock, appDir } = this.#parts;
    disk.makeFolder(this.#cacheDir);
    const file = join(this.#cacheDir, "app.json");
    const builder = this.#builderName();
    return buildOrFind({ disk, clock, appDir, file, builder, build: () => this.#load() });
  }

  async openIsolates(app: BuiltApp): Promise<AppIsolates> {
    const fresh = this.#fresh;
    if (fresh !== null && fresh.bundle === app.bundle) {
      this.#fresh = null;
      return new IsolatePool(fresh.image, this.#isolatePorts(), { first: fresh.first });
    }
    const guestWorks = await this.#prepareGuest();
    const pool = new IsolatePool(await IsolateImage.of(app.bundle), this.#isolatePorts());
    guestWorks();
    return pool;
  }

  async guest(): Promise<{ readonly snapshot: ArrayBuffer; works(): void }> {
    const works = await this.#prepareGuest();
    const { snapshot } = await guestCode();
    return { snapshot: snapshot.copy(), works };
  }

  async close(): Promise<void> {
    this.#dropFresh();
    this.#ports?.watchdog.close();
    const loader = this.#loader;
    this.#loader = null;
    await loader?.dispose();
  }

  async #load(): Promise<BuiltApp> {
    const { appDir, disk, mode } = this.#parts;
    const guestWorks = await this.#prepareGuest();
    const { openAppLoader } = await import("../isolate/app-load.ts");
    this.#loader ??= await openAppLoader(appDir, { ...this.#isolatePorts(), disk });
    const loader = this.#loader;
    try {
      const loaded = await loader.load();
      guestWorks();
      this.#dropFresh();
      this.#fresh = loaded;
      return { manifest: loaded.manifest, bundle: loaded.bundle };
    } finally {
      if (mode === "production") {
        this.#loader = null;
        await loader.dispose();
      }
    }
  }

  #isolatePorts(): IsolatePorts {
    const { clock, limits, mode, world } = this.#parts;
    this.#ports ??= {
      clock,
      limits,
      ...(world ?? { egress: openRealEgress(), secret: environmentSecret }),
      watchdog: new CpuWatchdog(),
      development: mode === "development",
    };
    return this.#ports;
  }

  #prepareGuest(): Promise<() => void> {
    const file = join(this.#cacheDir, "guest.bin");
    this.#guest ??= prepareGuest({ disk: this.#parts.disk, file, builder: this.#builderName() });
    return this.#guest;
  }

  #builderName(): string {
    this.#builder ??= builderName(this.#parts.disk);
    return this.#builder;
  }

  #dropFresh(): void {
    this.#fresh?.first.dispose();
    this.#fresh = null;
  }
}
