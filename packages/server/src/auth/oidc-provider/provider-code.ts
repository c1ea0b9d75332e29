// Codes and what becomes of them, each step one transaction. A code is a ticket that stays after its use until it would
// have ended: whoever brings it a second time ends what the first one got (RFC 6749, 4.1.2).
//
// A client's sign-in is a session with `client` set, in the list of sessions that its user sees and can end.
import type { Json } from "../../base/json.ts";
import { PlatformError } from "../../base/platform-error.ts";
import { timeText } from "../../gate/gate-app.ts";
import type { ProcedureScope } from "../../gate/gate-app.ts";
import { timeOfMs } from "../../model/field-time.ts";
import { rowWith } from "../../store/row-find.ts";
import type { Row } from "../../store/store.ts";
import { accountOf } from "../account-find.ts";
import type { AuthProcedure } from "../auth-desk.ts";
import { audit, placeOf, type AuthPlace } from "../auth-event.ts";
import { issueTicket } from "../auth-ticket.ts";
import { lacksFactorNow } from "../caller-build.ts";
import { openSession } from "../session-open.ts";
import type { SignInMethod } from "../sign-in-proof.ts";

const purpose = "oidcCode";
/** How long a code may take from browser to client (RFC 6749, 4.1.2: ten minutes at most). */
const codeMs = 60_000;

/** What a code stands for. */
export type CodeFacts = {
  readonly client: string;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly nonce: string | null;
  readonly challenge: string;
};

/** Issues a code to somebody who is signed in. @returns the ticket's id. */
export const issueCode: AuthProcedure<
  AuthPlace & {
    readonly facts: CodeFacts;
    /** The browser's session. */
    readonly session: string;
    readonly digest: string;
    /** Whether the person just consented. */
    readonly consents: boolean;
  },
  string
> = {
  name: "auth.oidcCode",
  async run(scope, { facts, session: id, digest, consents, ...place }) {
    const session = await scope.tx.get("authSession", id, null);
    if (session === null || session["client"] !== null) throw new PlatformError("TOKEN_INVALID");
    const user = session["user"] as string;
    const account = await accountOf(scope, user);
    if (account["disabledAt"] !== null) throw new PlatformError("ACCOUNT_DISABLED");
    if (consents) await keepConsent(scope, { ...place, user, facts });
    const authAt = session["authenticatedAt"] as string;
    return issueTicket(scope, {
      purpose,
      user,
      subject: facts.client,
      digest,
      ttlMs: codeMs,
      data: { ...facts, authAt, methods: session["methods"] as Json },
    });
  },
};

async function keepConsent(
  scope: ProcedureScope,
  given: AuthPlace & { readonly user: string; readonly facts: CodeFacts },
): Promise<void> {
  const { run, tx } = scope;
  const { user, facts } = given;
  const { client } = facts;
  const found = await findConsent(scope, user, client);
  const now = timeText(run.nowMs);
  const before = found === null ? [] : (found["scopes"] as readonly string[]);
  const scopes = [...new Set([...before, ...facts.scopes])];
  if (found === null) {
    const id = run.app.newId("authConsent");
    await tx.insert("authConsent", { id, user, client, scopes, createdAt: now, changedAt: now });
  } else {
    await tx.update("authConsent", found["id"] as string, { scopes, changedAt: now });
  }
  await audit(scope, {
    ...placeOf(given),
    kind: "consentGiven",
    user,
    details: { client, scopes },
  });
}

/** What a user let a client have, or null. */
export async function findConsent(
  { tx }: { readonly tx: Pick<ProcedureScope["tx"], "list"> },
  user: string,
  client: string,
): Promise<Row | null> {
  return rowWith(tx, "authConsent", { user, client });
}

/** A client's sign-in, as its tokens are made of it. */
export type ClientSession = {
  readonly session: string;
  readonly count: number;
  readonly user: string;
  readonly scopes: readonly string[];
  readonly nonce: string | null;
  /** RFC 3339. */
  readonly authAt: string;
  readonly methods: readonly string[];
};

/** What came of showing a code or refresh token; a refusal is an answer, for what it undid must last. */
export type ClientOutcome =
  | { readonly kind: "session"; readonly of: ClientSession }
  | { readonly kind: "refused"; readonly why: string };

/** Who became somebody who needs one signs in anew: the sign-in as it is opens nothing while that holds. */
const factorAsked = "the person has to sign in again, with a second factor";

function refused(why: string): ClientOutcome {
  return { kind: "refused", why };
}

/** Exchanges a code. */
export const redeemCode: AuthProcedure<
  AuthPlace & {
    readonly ticket: string;
    readonly digest: string;
    readonly client: string;
    readonly redirectUri: string;
    /** Made of the verifier that the client brought. */
    readonly challenge: string;
    /** How long the access token without a refresh token lasts. */
    readonly accessMs: number;
    /** Roles that must have shown a second factor: `secondFactorFor`. */
    readonly factorRoles: readonly string[];
  },
  ClientOutcome
> = {
  name: "auth.oidcRedeem",
  async run(scope, input) {
    const { run, tx } = scope;
    const row = await tx.get("authTicket", input.ticket, null);
    if (row === null || row["purpose"] !== purpose || row["digest"] !== input.digest) {
      return refused("the code is not valid");
    }
    const data = row["data"] as unknown as CodeFacts & {
      readonly authAt: string;
      readonly methods: readonly SignInMethod[];
      readonly session?: string;
    };
    const user = row["user"] as string;
    if (data.session !== undefined) {
      await endReplayed(scope, {
        ...placeOf(input),
        user,
        session: data.session,
        client: data.client,
      });
      return refused("the code was used before");
    }
    if ((row["expiresAt"] as string) <= timeText(run.nowMs)) return refused("the code is too old");
    const isTheirs =
      data.client === input.client &&
      data.redirectUri === input.redirectUri &&
      data.challenge === input.challenge;
    if (!isTheirs) {
      // Somebody else has got hold of it: it serves nobody any more.
      await tx.delete("authTicket", input.ticket);
      return refused("the code is not for this client, redirect_uri and code_verifier");
    }
    const account = await accountOf(scope, user);
    if (account["disabledAt"] !== null) return refused("the account is closed");
    const begun = { user, methods: data.methods };
    if (await lacksFactorNow(tx, input.factorRoles, begun)) return refused(factorAsked);
    const of = await openClientSession(scope, {
      ...data,
      user,
      place: placeOf(input),
      accessMs: input.accessMs,
    });
    await tx.update("authTicket", input.ticket, { data: { ...data, session: of.session } });
    return { kind: "session", of };
  },
};

async function endReplayed(
  scope: ProcedureScope,
  replayed: AuthPlace & {
    readonly user: string;
    readonly session: string;
    readonly client: string;
  },
): Promise<void> {
  const { session, user, client } = replayed;
  const row = await scope.tx.get("authSession", session, null);
  if (row !== null) await scope.tx.delete("authSession", session);
  await audit(scope, {
    ...placeOf(replayed),
    kind: "codeReplayed",
    user,
    session,
    details: { client },
  });
}

async function openClientSession(
  scope: ProcedureScope,
  begun: CodeFacts & {
    readonly user: string;
    readonly authAt: string;
    readonly methods: readonly SignInMethod[];
    readonly place: AuthPlace;
    readonly accessMs: number;
  },
): Promise<ClientSession> {
  const { user, methods, client, authAt, scopes, nonce, place, accessMs } = begun;
  const row = await openSession(scope, { user, methods, device: { ...place, client } });
  const session = row["id"] as string;
  const isLasting = scopes.includes("offline_access");
  const ends = timeOfMs(scope.run.nowMs + accessMs);
  await scope.tx.update("authSession", session, {
    authenticatedAt: authAt,
    ...(isLasting ? {} : { expiresAt: ends, endsAt: ends }),
  });
  await audit(scope, {
    ...place,
    kind: "clientSignIn",
    user,
    session,
    details: { client, scopes },
  });
  return { session, count: 0, user, scopes, nonce, authAt, methods };
}

/** Exchanges a refresh token: only the newest of a session is good, any other ends the session. */
export const refreshClient: AuthProcedure<
  AuthPlace & {
    readonly session: string;
    readonly count: number;
    readonly client: string;
    readonly factorRoles: readonly string[];
  },
  ClientOutcome
> = {
  name: "auth.oidcRefresh",
  async run(scope, { session: id, count, client, factorRoles, ...place }) {
    const { run, tx } = scope;
    const now = timeText(run.nowMs);
    const row = await tx.get("authSession", id, null);
    if (row === null || row["client"] !== client) return refused("the sign-in has ended");
    if ((row["expiresAt"] as string) <= now || (row["endsAt"] as string) <= now) {
      return refused("the sign-in has ended");
    }
    const user = row["user"] as string;
    if (row["refreshCount"] !== count) {
      await tx.delete("authSession", id);
      await audit(scope, {
        ...place,
        kind: "refreshReused",
        user,
        session: id,
        details: { client },
      });
      return refused("the refresh token was used before");
    }
    const account = await accountOf(scope, user);
    if (account["disabledAt"] !== null) return refused("the account is closed");
    if (await lacksFactorNow(tx, factorRoles, row)) return refused(factorAsked);
    await tx.update("authSession", id, {
      refreshCount: count + 1,
      refreshedAt: now,
      seenAt: now,
      expiresAt: timeOfMs(run.nowMs + run.app.limits.authSessionIdleMs),
    });
    const methods = row["methods"] as readonly string[];
    const authAt = row["authenticatedAt"] as string;
    const of = { session: id, count: count + 1, user, scopes: [], nonce: null, authAt, methods };
    return { kind: "session", of };
  },
};

/** Ends a client's sign-in. @returns whether there was one. */
export const endClientSession: AuthProcedure<
  AuthPlace & { readonly session: string; readonly client: string },
  boolean
> = {
  name: "auth.oidcEnd",
  async run(scope, { session, client, ...place }) {
    const row = await scope.tx.get("authSession", session, null);
    if (row === null || row["client"] !== client) return false;
    await scope.tx.delete("authSession", session);
    const user = row["user"] as string;
    await audit(scope, { ...place, kind: "clientSignOut", user, session, details: { client } });
    return true;
  },
};
