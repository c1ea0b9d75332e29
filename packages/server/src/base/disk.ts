// The disk as a port (law 6). The real one is host/real-disk.ts. It is for small things that are read and
// written whole: keys, caches, pages of a website. Databases open their own files by path.
// Every method is synchronous: a start has nothing else to do, and requests read through caches.

/** What stands at a path. */
export interface DiskEntry {
  /** Last part of the path. */
  readonly name: string;
  readonly kind: "file" | "folder" | "other";
  /** Bytes of a file, 0 for others. */
  readonly bytes: number;
  /** Milliseconds since the epoch. */
  readonly modifiedMs: number;
}

/** Files and folders. Paths are absolute; symbolic links are followed. */
export interface Disk {
  /** @returns the whole file, or null when there is none. */
  read(path: string): Uint8Array | null;
  /** The same without holding up the thread. @returns null when there is no such file. */
  readLater(path: string): Promise<Uint8Array | null>;
  /**
   * Replaces or creates a file: a reader sees the old bytes or the new ones, also after a loss of power.
   * @param mode permission bits, 0o600 unless told.
   */
  writeAtomically(path: string, bytes: Uint8Array | string, mode?: number): void;
  /** Creates a folder and those above it; nothing happens when it is there. @param mode 0o700 unless told. */
  makeFolder(path: string, mode?: number): void;
  /** Entries of a folder by name; empty when there is no such folder. */
  list(path: string): readonly DiskEntry[];
  /** @returns null when there is nothing. */
  stat(path: string): DiskEntry | null;
  /** The path with every symbolic link resolved, or null when there is nothing. */
  realPath(path: string): string | null;
  exists(path: string): boolean;
  /** Removes a file or a folder with all in it; nothing happens when there is none. */
  remove(path: string): void;
}
