// Watches an app's source: its keelson folder with all below, and the folders of what it imports from
// elsewhere. Editors write a file in several steps, so changes are told once things have been quiet for a
// moment. A folder that is replaced is found again: the folder above is watched for its name. node_modules is not
// watched.
import { readdirSync, statSync, watch, type FSWatcher } from "node:fs";
import { dirname, isAbsolute, join, relative, resolve, sep } from "node:path";

const quietMs = 25;
const sourceFile = /\.(?:[cm]?[jt]sx?|json)$/;
/** What is read when it is used, and is no part of the app's code. */
const wordsFile = /^keelson\/(?:auth\.css|mail\/[^/]+\.(?:txt|html))$/;
/** Elsewhere Node's recursive watch loses folders that are replaced: there each folder has a watch of its own. */
const seesBelow = process.platform === "darwin" || process.platform === "win32";

/** A running watch. */
export interface AppWatch {
  /** Which files the app is made of now, relative to its folder. */
  follow(files: readonly string[]): void;
  close(): void;
}

/** Whether a changed file is a letter's template or the pages' sheet. @param file relative to the app's folder. */
export function isWordsFile(file: string): boolean {
  return wordsFile.test(file.replaceAll(sep, "/"));
}

/**
 * Watches an app.
 * @param onChange called with the files that changed, relative to the app's folder, once they are quiet; with the
 * folder itself, where one came or went.
 */
export function watchApp(appDir: string, onChange: (files: readonly string[]) => void): AppWatch {
  return new FolderWatch(appDir, onChange);
}

class FolderWatch implements AppWatch {
  readonly #appDir: string;
  readonly #onChange: (files: readonly string[]) => void;
  /** The keelson folder. */
  readonly #root: string;
  /** Folders of files that the app imports from elsewhere. */
  #outside: ReadonlySet<string> = new Set();
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #changed = new Set<string>();
  #timer: NodeJS.Timeout | null = null;

  constructor(appDir: string, onChange: (files: readonly string[]) => void) {
    this.#appDir = appDir;
    this.#onChange = onChange;
    this.#root = join(appDir, "keelson");
    this.#watchAll();
  }

  follow(files: readonly string[]): void {
    const folders = files.map((file) => dirname(resolve(this.#appDir, file)));
    this.#outside = new Set(folders.filter((folder) => this.#isOutside(folder)));
    const wanted = this.#wanted();
    for (const folder of this.#watchers.keys()) {
      if (!wanted.has(folder) && !isWithin(this.#root, folder)) this.#drop(folder);
    }
    this.#watchAll();
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const folder of this.#watchers.keys()) this.#drop(folder);
  }

  /** Beside the keelson folder: the one above it, those of imports, and the ones above these. */
  #wanted(): ReadonlySet<string> {
    return new Set([this.#appDir, ...this.#outside, ...[...this.#outside].map(dirname)]);
  }

  /** Watches what is there and is not watched yet. */
  #watchAll(): void {
    for (const folder of this.#wanted()) this.#watch(folder);
    this.#watchTree(this.#root);
  }

  #heard(event: string, path: string): void {
    if (event === "rename" && this.#isFolderOfApp(path)) {
      // Another folder may stand there now, or none.
      for (const folder of this.#watchers.keys()) if (isWithin(path, folder)) this.#drop(folder);
      this.#watchAll();
      this.#tell(path);
    } else if (this.#isFileOfApp(path)) this.#tell(path);
  }

  /** Whether it is a folder of the app's, or was one until now. */
  #isFolderOfApp(path: string): boolean {
    if (path === this.#root || this.#outside.has(path)) return true;
    if (!isWithin(this.#root, path) || isPackages(relative(this.#root, path))) return false;
    return this.#watchers.has(path) || isFolder(path);
  }

  #isFileOfApp(path: string): boolean {
    const isSource = sourceFile.test(path);
    if (!isWithin(this.#root, path)) return isSource && this.#outside.has(dirname(path));
    if (isPackages(relative(this.#root, path))) return false;
    return isSource || isWordsFile(relative(this.#appDir, path));
  }

  #tell(path: string): void {
    this.#changed.add(relative(this.#appDir, path));
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const files = [...this.#changed];
      this.#changed.clear();
      this.#timer = null;
      this.#onChange(files);
    }, quietMs);
  }

  #watchTree(folder: string): void {
    this.#watch(folder);
    if (seesBelow) return;
    for (const name of foldersIn(folder)) this.#watchTree(join(folder, name));
  }

  #watch(folder: string): void {
    const isBelow = isWithin(this.#root, folder);
    // What sees below the root is the root's own watch.
    if (seesBelow && isBelow && folder !== this.#root) return;
    if (this.#watchers.has(folder) || !isFolder(folder)) return;
    const watcher = opened(folder, seesBelow && isBelow, (event, name) => {
      if (name !== null) this.#heard(event, join(folder, name));
    });
    // A folder that goes away ends its own watch; the one above tells when it is back.
    watcher?.on("error", () => this.#drop(folder));
    if (watcher !== null) this.#watchers.set(folder, watcher);
  }

  #drop(folder: string): void {
    this.#watchers.get(folder)?.close();
    this.#watchers.delete(folder);
  }

  /** Folders that the watch of the keelson folder does not see. */
  #isOutside(folder: string): boolean {
    return !isWithin(this.#root, folder) && !isPackages(folder);
  }
}

/** @returns null when the folder went away meanwhile. */
function opened(
  folder: string,
  recursive: boolean,
  heard: (event: string, name: string | null) => void,
): FSWatcher | null {
  try {
    return watch(folder, { recursive }, heard);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/** Whether a path is a folder or below it. */
function isWithin(folder: string, path: string): boolean {
  const inside = relative(folder, path);
  return inside === "" || (!/^\.\.(?:$|[/\\])/.test(inside) && !isAbsolute(inside));
}

function isPackages(path: string): boolean {
  return path.split(sep).includes("node_modules");
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function foldersIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name !== "node_modules")
      .map(({ name }) => name);
  } catch {
    // Gone meanwhile, or nobody's to read: loading the app tells.
    return [];
  }
}
