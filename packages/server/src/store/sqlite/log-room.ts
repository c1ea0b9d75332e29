// A port to the file of the write-ahead log, for its size alone.

/** Room in the log's file that is there before commits need it: a commit then waits for its pages, not for the file to grow. */
export interface LogRoom {
  /**
   * Called at the beginning of a group, while nobody else can write to the log. Must not throw: without room the file
   * grows as it is used.
   * @param path of the log; there may be no such file yet.
   */
  look(path: string): void;
  close(): void;
}
