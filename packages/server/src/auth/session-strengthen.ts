// Somebody who is signed in proves again who they are: before sensitive changes, or to add a second factor. The session
// goes on under a new cookie; whoever had copied the old one is out.
import type { ProcedureScope } from "../gate/gate-app.ts";
import { PlatformError } from "../base/platform-error.ts";
import { timeText } from "../gate/gate-app.ts";
import type { Row } from "../store/store.ts";
import type { SignInMethod } from "./sign-in-proof.ts";

/**
 * Notes a proof on a session. @param methods added to those that it has; `mfa` makes it a strong one.
 * @returns its row: answer with a new `sessionCookie` of it. @throws TOKEN_INVALID when the session has ended.
 */
export async function strengthenSession(
  { run, tx }: ProcedureScope,
  session: string,
  methods: readonly SignInMethod[],
): Promise<Row> {
  const row = await tx.get("authSession", session, null);
  if (row === null) throw new PlatformError("TOKEN_INVALID");
  const known = row["methods"] as readonly string[];
  return tx.update("authSession", session, {
    authenticatedAt: timeText(run.nowMs),
    methods: [...new Set([...known, ...methods])],
    cookieEpoch: (row["cookieEpoch"] as number) + 1,
  });
}
