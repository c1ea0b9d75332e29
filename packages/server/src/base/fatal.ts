// A host that cannot go on ends with a status that says why: scripts and supervisors tell a taken port
// from a lost disk without reading text. 0 is done, 1 usage, 2 findings; these start at 3.

/** Exit status by reason. For ever, like error codes. */
export const fatalStatus = {
  /** A bug of ours: an assertion failed or an error had no handler. */
  bug: 3,
  /** The database can't be opened, or can't be trusted any more. */
  storeFailed: 4,
  /** Another server holds the data folder. */
  dataLocked: 5,
  /** The address is taken or may not be used. */
  listenFailed: 6,
  /** The app has a mistake and there is no earlier version to serve. */
  appInvalid: 7,
  /** The database can't take the app's schema. */
  migrationRefused: 8,
  /** Accepted work was not done within limits.shutdownMsMax. */
  shutdownTimeout: 9,
  /** The disk is full. */
  diskFull: 10,
} as const;
