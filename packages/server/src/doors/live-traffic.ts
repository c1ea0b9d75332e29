// What live connections of one thread have sent, for /metrics: it grows as long as the thread lives, whatever
// versions of the app it serves.

/** Counters since the thread began. */
export interface LiveTraffic {
  /** Messages with changes of live queries, or that show a write to its writer. */
  pushes: number;
  sentBytes: number;
  /** Connections that were ended because their client read more slowly than the server sent. */
  slowReaders: number;
}

/** At zero. */
export function newLiveTraffic(): LiveTraffic {
  return { pushes: 0, sentBytes: 0, slowReaders: 0 };
}
