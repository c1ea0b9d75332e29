// A person's sessions: who one is, where one is signed in, signing out here, there or everywhere, and what happened.
import type { Json } from "../../base/json.ts";
import { PlatformError } from "../../base/platform-error.ts";
import type { ReadTx, Row } from "../../store/store.ts";
import { accountOfUser, findAll } from "../account-find.ts";
import { bodyOf } from "../ask-body.ts";
import type { AuthDesk, AuthProcedure } from "../auth-desk.ts";
import { audit, placeOf, type AuthPlace } from "../auth-event.ts";
import { dropTickets } from "../auth-ticket.ts";
import type { AuthAnswer, AuthAsk, AuthRoute } from "../auth-route.ts";
import { isStrongSession } from "../caller-build.ts";
import { sessionCookieName } from "../session-cookie.ts";
import { endSessionsOf } from "../session-end.ts";

const eventsShown = 100;

type EndInput = {
  readonly user: string;
  readonly session: string;
  readonly kind: "signOut" | "sessionRevoked";
  readonly place: AuthPlace;
};

/**
 * Ends one session of a user. False: there is none such. One that is revoked may have been a thief's: what was asked for in
 * it, like another address, goes too.
 */
export const endSession: AuthProcedure<EndInput, boolean> = {
  name: "auth.endSession",
  async run(scope, { user, session, kind, place }) {
    const row = await scope.tx.get("authSession", session, null);
    if (row === null || row["user"] !== user) return false;
    await scope.tx.delete("authSession", session);
    if (kind === "sessionRevoked") await dropTickets(scope, user, null);
    await audit(scope, { kind, user, session, ...place });
    return true;
  },
};

type EndAllInput = {
  readonly user: string;
  readonly kept: string | null;
  readonly place: AuthPlace;
};

/** Ends all sessions of a user but the one that asks, and what was asked for in them. */
const endAll: AuthProcedure<EndAllInput, { readonly ended: number }> = {
  name: "auth.endAll",
  async run(scope, { user, kept, place }) {
    const ended = await endSessionsOf(scope, user, kept);
    await dropTickets(scope, user, null);
    await audit(scope, {
      kind: "sessionsRevoked",
      user,
      session: kept,
      details: { ended },
      ...place,
    });
    return { ended };
  },
};

async function showMe(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const { caller, session } = ask;
  if (caller.id === null) return { json: { me: null, session: null } };
  const { id } = caller;
  const account = await desk.store.read((tx) => accountOfUser({ tx }, id));
  return {
    json: {
      me: caller.me,
      session: session === null ? null : shownSession(session, session),
      hasPassword: account !== null && account["passwordHash"] !== null,
      hasSecondFactor: account?.["hasSecondFactor"] === true,
    },
  };
}

async function showSessions(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const user = ask.caller.id ?? "";
  const { authSessionsMax } = desk.limits;
  const rows = await desk.store.read((tx) =>
    findAll({ tx }, "authSession", "user", user, authSessionsMax),
  );
  return { json: { sessions: rows.map((row) => shownSession(row, ask.session)) } };
}

function shownSession(row: Row, own: Row | null): Json {
  const {
    id,
    createdAt,
    seenAt,
    expiresAt,
    authenticatedAt,
    methods,
    client,
    address,
    userAgent,
    org,
  } = row as Readonly<Record<string, Json>>;
  return {
    id: id ?? null,
    isThis: own !== null && own["id"] === id,
    createdAt: createdAt ?? null,
    seenAt: seenAt ?? null,
    expiresAt: expiresAt ?? null,
    authenticatedAt: authenticatedAt ?? null,
    methods: methods ?? [],
    isStrong: isStrongSession(row),
    client: client ?? null,
    address: address ?? null,
    userAgent: userAgent ?? null,
    org: org ?? null,
  };
}

async function endOne(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const session = ask.params["id"] ?? "";
  const input = {
    user: ask.caller.id ?? "",
    session,
    kind: "sessionRevoked",
    place: placeOf(ask),
  } as const;
  if (!(await desk.run(endSession, input, ask))) throw new PlatformError("NOT_FOUND");
  return {};
}

async function revokeAll(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  bodyOf(ask, []);
  const kept = (ask.session?.["id"] ?? null) as string | null;
  return {
    json: await desk.run(endAll, { user: ask.caller.id ?? "", kept, place: placeOf(ask) }, ask),
  };
}

/** Also for who is nobody any more: the cookie goes. */
async function signOut(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const { caller, session } = ask;
  if (caller.id !== null && session !== null) {
    const id = session["id"] as string;
    const input = { user: caller.id, session: id, kind: "signOut", place: placeOf(ask) } as const;
    await desk.run(endSession, input, ask);
  }
  return { cookies: [{ name: sessionCookieName, value: null, maxAgeSeconds: null }] };
}

async function showEvents(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const user = ask.caller.id ?? "";
  const after = ask.query.get("after");
  const { rows, next } = await desk.store.read((tx) => newestEvents(tx, user, after));
  const events = rows.map(({ id, at, kind, session, address, userAgent, details }) => ({
    id: id ?? null,
    at: at ?? null,
    kind: kind ?? null,
    session: session ?? null,
    address: address ?? null,
    userAgent: userAgent ?? null,
    details: details ?? null,
  }));
  return { json: { events, next } };
}

/** @param after what the page before gave as `next`; null: the newest. @throws what is thrown for a cursor that is none. */
function newestEvents(tx: ReadTx, user: string, after: string | null) {
  return tx.list(
    {
      kind: "list",
      from: "authEvent",
      where: { kind: "field", field: "user", condition: { eq: user } },
      orderBy: [
        { field: "at", descending: true },
        { field: "id", descending: true },
      ],
      limit: eventsShown,
      ...(after === null ? {} : { after }),
    },
    null,
  );
}

/** Their procedures. */
export const sessionProcedures = [endSession, endAll] as const;

/** Their addresses. */
export const sessionRoutes: readonly AuthRoute[] = [
  { method: "GET", path: "/auth/me", access: "anyone", handle: showMe },
  { method: "GET", path: "/auth/sessions", access: "signed-in", handle: showSessions },
  { method: "POST", path: "/auth/sessions/revoke-all", access: "signed-in", handle: revokeAll },
  { method: "DELETE", path: "/auth/sessions/:id", access: "signed-in", handle: endOne },
  { method: "POST", path: "/auth/sign-out", access: "anyone", handle: signOut },
  { method: "GET", path: "/auth/events", access: "signed-in", handle: showEvents },
];
