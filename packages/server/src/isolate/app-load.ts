// An app's folder becomes what a server runs: bundled, evaluated once for its specification, its rules read
// from source, all of it joined into the manifest. Everything wrong with the app is told at once where it can.
import { join } from "node:path";
import type { Disk } from "../base/disk.ts";
import { AppInvalid, type AppMistake } from "../model/app-mistake.ts";
import { buildManifest } from "../model/manifest-build.ts";
import type { Manifest } from "../model/manifest.ts";
import { readRules } from "../model/rule-parse.ts";
import type { Bundle } from "./app-isolate.ts";
import { createBundler, type Bundler } from "./bundle.ts";
import { isOwn } from "./bundle-map.ts";
import { openIsolate } from "./isolate-open.ts";
import type { IsolatedApp, IsolatePorts } from "./isolated-app.ts";
import { IsolateImage } from "./isolate-image.ts";

/** What loading needs of the world. */
export interface LoadPorts extends IsolatePorts {
  readonly disk: Disk;
}

/** An app, ready to run. */
export interface LoadedApp {
  readonly manifest: Manifest;
  readonly bundle: Bundle;
  /** The app's own files: text by path relative to the app's folder. */
  readonly sources: ReadonlyMap<string, string>;
  readonly image: IsolateImage;
  /** The isolate that the app was evaluated in: a pool's first. */
  readonly first: IsolatedApp;
}

/** Loads one app, again after every change. */
export interface AppLoader {
  /** @throws AppInvalid with the app's mistakes; the loader can be used again. */
  load(): Promise<LoadedApp>;
  dispose(): Promise<void>;
}

const appPath = "keelson/app.ts";

/** Opens a loader. @param appDir absolute; the folder that holds `keelson/app.ts`. @throws AppInvalid without one. */
export async function openAppLoader(appDir: string, ports: LoadPorts): Promise<AppLoader> {
  const appFile = join(appDir, appPath);
  const needApp = (): void => {
    if (!ports.disk.exists(appFile)) throw new AppInvalid([noApp]);
  };
  needApp();
  const bundler = await createBundler({ appDir, appFile });
  return {
    async load() {
      // Before the bundler, which would take it for an import with a wrong path.
      needApp();
      return loadFrom(bundler, appDir, ports);
    },
    dispose: () => bundler.dispose(),
  };
}

/** Loads an app once. @throws AppInvalid with every mistake found. */
export async function loadApp(appDir: string, ports: LoadPorts): Promise<LoadedApp> {
  const loader = await openAppLoader(appDir, ports);
  try {
    return await loader.load();
  } finally {
    await loader.dispose();
  }
}

async function loadFrom(bundler: Bundler, appDir: string, ports: LoadPorts): Promise<LoadedApp> {
  const bundle = await bundler.rebuild();
  const image = await IsolateImage.of(bundle);
  const sources = readSources(image, appDir, ports.disk);
  const first = openIsolate(image, ports);
  try {
    const read = readRules({ sources, spec: first.spec, limits: ports.limits });
    const source = (file: string): string | null => sources.get(file) ?? null;
    const manifest = buildManifest(first.spec, read, bundle.hash, { source, limits: ports.limits });
    return Object.freeze({ manifest, bundle, sources, image, first });
  } catch (error) {
    first.dispose();
    throw error;
  }
}

/** The text that was bundled, where the source map has it; files without code of their own come from disk. */
function readSources(image: IsolateImage, appDir: string, disk: Disk): ReadonlyMap<string, string> {
  const bundled = image.map.sources();
  const sources = new Map<string, string>();
  for (const file of image.bundle.files) {
    if (!isOwn(file) || !/\.[cm]?[jt]sx?$/.test(file)) continue;
    const text = bundled.get(file) ?? textOf(disk.read(join(appDir, file)));
    if (text !== null) sources.set(file, text);
  }
  return sources;
}

function textOf(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : new TextDecoder().decode(bytes);
}

const noApp: AppMistake = Object.freeze({
  file: appPath,
  line: 1,
  column: 1,
  problem: "There is no keelson/app.ts: the app's entry file is missing.",
  fix: "Put it back, or run this in the folder of an app. To make a new one: keelson init my-app.",
  frame: "",
});
