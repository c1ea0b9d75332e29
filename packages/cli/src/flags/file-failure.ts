// Files of the person at the terminal that can't be read or written: exit 12, told alike by every command.
import { exits, Failure, type FailureText } from "./failure.ts";

/** What a command says in the place of the usual words. */
type Own = Partial<Pick<FailureText, "what" | "fix">>;

/** FILE_UNREADABLE. @param cause what the system threw. */
export function fileUnreadable(file: string, cause: unknown, own: Own = {}): Failure {
  const { what = `${file} can't be read.`, fix = "Check the name, and that you may read it." } =
    own;
  return fileFailure({ code: "FILE_UNREADABLE", what, why: whyOf(cause), fix }, cause);
}

/** FILE_UNWRITABLE. @param cause what the system threw. */
export function fileUnwritable(file: string, cause: unknown, own: Own = {}): Failure {
  const {
    what = `${file} can't be written.`,
    fix = "Check that the folder exists, that you may write there and that the disk has room.",
  } = own;
  return fileFailure({ code: "FILE_UNWRITABLE", what, why: whyOf(cause), fix }, cause);
}

function fileFailure(text: FailureText, cause: unknown): Failure {
  return new Failure(exits.fileFailed, text, { cause });
}

function whyOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
