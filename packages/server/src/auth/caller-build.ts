// Makes the caller of rows: who the user is now, not who they were when a token was signed. `me` holds `id`, `email`,
// `emailVerified`, `role`, `org`, `orgRole`, `guest` and the fields of `user` that the schema marks as claims.
import type { Json } from "../base/json.ts";
import { andThen, type Later } from "../base/later.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { Caller } from "../gate/identity.ts";
import { timeText } from "../gate/gate-app.ts";
import type { AuthModel } from "../model/auth-model.ts";
import type { Manifest } from "../model/manifest.ts";
import { deepFreeze } from "../model/manifest-json.ts";
import { rowWith } from "../store/row-find.ts";
import type { ReadTx, Row } from "../store/store.ts";

/** The caller of a session or key, with the ids of all rows that decided it. */
export interface BuiltCaller {
  readonly caller: Caller;
  readonly session: Row | null;
  readonly rows: readonly string[];
  /** Whether the user's role asks for a second factor that this session has not. */
  readonly lacksSecondFactor: boolean;
}

/** What callers are made by. */
export interface CallerRules {
  readonly settings: AuthModel;
  /** Fields of `user` that stand in `me`. */
  readonly claims: readonly string[];
  readonly hasRole: boolean;
}

/** Methods that are a second factor, or as good as two. */
const strongMethods: ReadonlySet<string> = new Set(["mfa"]);

/** What callers of an app are made by. */
export function callerRulesOf(manifest: Manifest, settings: AuthModel): CallerRules {
  const fields = manifest.tables["user"]?.fields ?? {};
  const claims = Object.keys(fields).filter((name) => fields[name]?.claim === true);
  return { settings, claims, hasRole: Object.hasOwn(fields, "role") };
}

/** Whether a session was opened or confirmed with a second factor. */
export function isStrongSession(session: Row): boolean {
  return (session["methods"] as readonly string[]).some((method) => strongMethods.has(method));
}

/**
 * The caller of a session. @param epoch what the cookie says; null: a token, which has none.
 * @returns null when the session ended, or the cookie is of an older epoch.
 */
export function callerOfSession(
  tx: ReadTx,
  rules: CallerRules,
  asked: { readonly session: string; readonly epoch: number | null; readonly nowMs: number },
): Later<BuiltCaller | null> {
  return andThen(tx.get("authSession", asked.session, null), (session) => {
    if (session === null || !isAlive(session, asked.nowMs)) return null;
    if (asked.epoch !== null && session["cookieEpoch"] !== asked.epoch) return null;
    return andThen(callerOfUser(tx, rules, session["user"] as string, session), (built) => {
      if (built === null) return null;
      const asks = asksSecondFactor(rules.settings, built.caller.role);
      return { ...built, lacksSecondFactor: asks && !isStrongSession(session) };
    });
  });
}

/**
 * The caller of a key: its user, with its scopes. A key stands for the session that made it: where the user's role asks
 * for a second factor, now, one that was made without does nothing. A service has keys only: its role asks for none.
 * @returns null when the key ended, or the account is closed.
 */
export function callerOfKey(
  tx: ReadTx,
  rules: CallerRules,
  key: Row,
  nowMs: number,
): Later<BuiltCaller | null> {
  const expiresAt = key["expiresAt"] as string | null;
  if (expiresAt !== null && expiresAt <= timeText(nowMs)) return null;
  return andThen(callerOfUser(tx, rules, key["user"] as string, null), (built) => {
    if (built === null) return null;
    const scopes = key["scopes"] as readonly string[];
    const caller = scopes.length === 0 ? built.caller : Object.freeze({ ...built.caller, scopes });
    const asks = asksSecondFactor(rules.settings, caller.role) && !built.isService;
    const rows = [...built.rows, key["id"] as string];
    return { ...built, caller, rows, lacksSecondFactor: asks && key["isStrong"] !== true };
  });
}

/** Whether people of a role must show a second factor before they do anything. */
export function asksSecondFactor(
  settings: Pick<AuthModel, "secondFactorFor">,
  role: string | null,
): boolean {
  return role !== null && settings.secondFactorFor.includes(role);
}

/**
 * Whether the role that the user of a session has now asks for a second factor that the session has not shown: for
 * sessions that nobody calls with, those of clients. @param session its `user` and `methods`.
 */
export async function lacksFactorNow(
  tx: Pick<ReadTx, "get">,
  roles: readonly string[],
  session: Row,
): Promise<boolean> {
  const user = await tx.get("user", session["user"] as string, null);
  const role = user?.["role"];
  return typeof role === "string" && roles.includes(role) && !isStrongSession(session);
}

/** The caller of a user. @returns null when there is none, or the account is closed. */
function callerOfUser(
  tx: ReadTx,
  rules: CallerRules,
  userId: string,
  session: Row | null,
): Later<(BuiltCaller & { readonly isService: boolean }) | null> {
  return andThen(tx.get("user", userId, null), (user) => {
    if (user === null) return null;
    return andThen(accountOf(tx, userId), (account) => {
      if (account !== null && account["disabledAt"] !== null) return null;
      const org = (session?.["org"] ?? null) as string | null;
      return andThen(org === null ? null : memberOf(tx, org, userId), (member) => {
        const rows = [userId, session?.["id"], account?.["id"], member?.["id"]].filter(
          (id): id is string => typeof id === "string",
        );
        const caller = frozenCaller({ rules, user, account, member, session });
        const isService = account?.["isService"] === true;
        return { caller, session, rows, isService, lacksSecondFactor: false };
      });
    });
  });
}

function frozenCaller(made: {
  readonly rules: CallerRules;
  readonly user: Row;
  readonly account: Row | null;
  readonly member: Row | null;
  readonly session: Row | null;
}): Caller {
  const { rules, user, account, member, session } = made;
  const id = user["id"] as string;
  const role = rules.hasRole && typeof user["role"] === "string" ? user["role"] : null;
  const me: Record<string, Json> = {
    id,
    role,
    email: account?.["email"] ?? null,
    emailVerified: account?.["emailVerified"] === true,
    guest: account?.["isGuest"] === true,
    org: member?.["org"] ?? null,
    orgRole: member?.["role"] ?? null,
  };
  for (const claim of rules.claims) me[claim] = user[claim] ?? null;
  const own = session === null ? {} : { session: session["id"] as string };
  return Object.freeze({ id, role, me: deepFreeze(me), ...own });
}

function isAlive(session: Row, nowMs: number): boolean {
  const now = timeText(nowMs);
  // Texts whose order is the order of time.
  return now < (session["expiresAt"] as string) && now < (session["endsAt"] as string);
}

function accountOf(tx: ReadTx, user: string): Later<Row | null> {
  return rowWith(tx, "authAccount", { user });
}

function memberOf(tx: ReadTx, org: string, user: string): Later<Row | null> {
  return rowWith(tx, "orgMember", { org, user });
}

/** @throws SECOND_FACTOR_REQUIRED. */
export function assertSecondFactor(built: Pick<BuiltCaller, "lacksSecondFactor">): void {
  if (built.lacksSecondFactor) throw new PlatformError("SECOND_FACTOR_REQUIRED");
}
