// Watches an app's source: its keelson folder with all below, and the folders of what it imports from
// elsewhere. Editors write a file in several steps, so changes are told once things have been quiet for a
// moment. node_modules is not watched.
import { watch, type FSWatcher } from "node:fs";
import { dirname, isAbsolute, join, relative, resolve, sep } from "node:path";

const quietMs = 25;
const sourceFile = /\.(?:[cm]?[jt]sx?|json)$/;

/** A running watch. */
export interface AppWatch {
  /** Which files the app is made of now, relative to its folder. */
  follow(files: readonly string[]): void;
  close(): void;
}

/** @param onChange called with the files that changed, relative to the app's folder, once they are quiet. */
export function watchApp(appDir: string, onChange: (files: readonly string[]) => void): AppWatch {
  const watchers = new Map<string, FSWatcher>();
  const changed = new Set<string>();
  let timer: NodeJS.Timeout | null = null;
  const told = (folder: string, name: string | null): void => {
    if (name === null || !sourceFile.test(name)) return;
    changed.add(relative(appDir, join(folder, name)));
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(() => {
      const files = [...changed];
      changed.clear();
      timer = null;
      onChange(files);
    }, quietMs);
  };
  const add = (folder: string, recursive: boolean): void => {
    if (watchers.has(folder)) return;
    const watcher = watch(folder, { recursive }, (_event, name) => told(folder, name));
    // A folder that goes away ends its own watch; what is missing shows when the app is loaded again.
    watcher.on("error", () => {
      watcher.close();
      watchers.delete(folder);
    });
    watchers.set(folder, watcher);
  };
  const root = join(appDir, "keelson");
  add(root, true);
  return {
    follow: (files) => {
      const wanted = new Set([
        root,
        ...files.map((file) => dirname(resolve(appDir, file))).filter(isOutside),
      ]);
      for (const [folder, watcher] of watchers) {
        if (wanted.has(folder)) continue;
        watcher.close();
        watchers.delete(folder);
      }
      for (const folder of wanted) if (folder !== root) add(folder, false);
    },
    close: () => {
      if (timer !== null) clearTimeout(timer);
      for (const watcher of watchers.values()) watcher.close();
      watchers.clear();
    },
  };

  /** Folders that the watch of the keelson folder does not see. */
  function isOutside(folder: string): boolean {
    const inside = relative(root, folder);
    const isBelow = inside === "" || (!inside.startsWith("..") && !isAbsolute(inside));
    return !isBelow && !folder.split(sep).includes("node_modules");
  }
}
