// A port to the file of the write-ahead log, for its size and whether it is there.

/** Room in the log's file that is there before commits need it: a commit then waits for its pages, not for the file to grow. */
export interface LogRoom {
  /** Takes note of the log that the engine has opened. Must not throw. @param path of it; there may be no such file yet. */
  open(path: string): void;
  /**
   * Called at the beginning of a group, while nobody else can write to the log. Must not throw: without room the file
   * grows as it is used.
   * @param path of the log; there may be no such file yet.
   * @returns false when the file that the engine writes is in no folder any more: what is written to it is lost.
   */
  look(path: string): boolean;
  close(): void;
}
