// Why a command could not do its work, told in three lines: what failed, why, and what to do.
// The exit status says to scripts what the text says to a person.

/**
 * Exit statuses. Scripts rely on them: they never change their meaning. From 3 to 10 they are the server's
 * own, so that `keelson start` and every other command end alike for one reason.
 */
export const exits = Object.freeze({
  done: 0,
  /** The command was not written as its help says. */
  usage: 1,
  /** Something was found, or refused: rows, a migration, a function call. */
  refused: 2,
  /** A bug of ours. */
  bug: 3,
  /** The database can't be opened, or can't be trusted. */
  storeFailed: 4,
  /** Another process holds the data folder and can't do this for us. */
  dataLocked: 5,
  /** The address is taken or may not be used. */
  listenFailed: 6,
  /** The app has a mistake. */
  appInvalid: 7,
  /** The database can't take the app's schema, so the server does not start. */
  migrationRefused: 8,
  /** Accepted work was not done in time when the server was asked to stop. */
  shutdownTimeout: 9,
  diskFull: 10,
  /** No server answers where one was expected. */
  unreachable: 11,
  /** A file can't be read or written. */
  fileFailed: 12,
});

/** An exit status. */
export type Exit = (typeof exits)[keyof typeof exits];

/** What a failure tells. */
export interface FailureText {
  /** Stable, in capitals: `FLAG_UNKNOWN`. */
  readonly code: string;
  /** What failed, in a sentence. */
  readonly what: string;
  /** Why, in a sentence; may span lines (a code frame, a list). */
  readonly why: string;
  /** What to do now. */
  readonly fix: string;
}

/** A command's failure; `main` prints it and exits with its status. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly text: FailureText;
  readonly exit: Exit;

  /** @param exit never `done`. @param options.cause shown only with KEELSON_DEBUG=1. */
  constructor(exit: Exit, text: FailureText, options: { cause?: unknown } = {}) {
    super(`${text.code}: ${text.what} ${text.why}`, options);
    this.text = text;
    this.exit = exit;
  }
}

/** A command written wrongly: exit status 1. */
export function usageFailure(text: FailureText): Failure {
  return new Failure(exits.usage, text);
}
