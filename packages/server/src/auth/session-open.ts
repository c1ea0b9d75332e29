// A session begins: one row. Its id is new each time, so nothing that anybody knew before opens it.
import type { ProcedureScope } from "../gate/gate-app.ts";
import { timeText } from "../gate/gate-app.ts";
import { timeOfMs } from "../model/field-time.ts";
import type { Row } from "../store/store.ts";
import { sessionsOf } from "./session-end.ts";
import type { SignInDevice, SignInMethod } from "./sign-in-proof.ts";

/** Opens a session for a user who proved who they are. Ways to sign in call `finishSignIn` instead. @returns its row. */
export async function openSession(
  scope: ProcedureScope,
  begun: {
    readonly user: string;
    readonly methods: readonly SignInMethod[];
    readonly device: Pick<SignInDevice, "address" | "userAgent" | "client">;
  },
): Promise<Row> {
  const { run, tx } = scope;
  const { limits } = run.app;
  const now = timeText(run.nowMs);
  await makeRoom(scope, begun.user);
  const row: Row = {
    id: run.app.newId("authSession"),
    user: begun.user,
    createdAt: now,
    seenAt: now,
    expiresAt: timeOfMs(run.nowMs + limits.authSessionIdleMs),
    endsAt: timeOfMs(run.nowMs + limits.authSessionMs),
    authenticatedAt: now,
    methods: begun.methods,
    cookieEpoch: 0,
    refreshCount: 0,
    refreshedAt: null,
    org: null,
    client: begun.device.client,
    address: begun.device.address,
    userAgent: begun.device.userAgent?.slice(0, 400) ?? null,
  };
  await tx.insert("authSession", row);
  return row;
}

/** Somebody who signs in again and again, and never out, loses the oldest session. */
async function makeRoom(scope: ProcedureScope, user: string): Promise<void> {
  const sessions = await sessionsOf(scope, user);
  const over = sessions.length - scope.run.app.limits.authSessionsMax + 1;
  for (const session of sessions.slice(0, Math.max(0, over))) {
    await scope.tx.delete("authSession", session["id"] as string);
  }
}
