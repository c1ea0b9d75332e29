// Who calls: by session cookie, by access token, by key. Credentials are checked once; who they stand for is read from
// the data and remembered until one of its rows changes. So a caller that comes again costs a look into a map and a few
// numbers, a changed role is seen by the next request, and a revoked session is nobody on every thread at once.
//
// A cookie that does not hold is nobody; a header that does not hold is refused: who sends one means to be somebody.
import { andThen, type Later } from "../base/later.ts";
import type { Clock } from "../base/clock.ts";
import type { Limits } from "../base/limits.ts";
import { PlatformError } from "../base/platform-error.ts";
import { anonymous, type Caller, type Identity } from "../gate/identity.ts";
import { msOfTime } from "../model/field-time.ts";
import type { AuthModel } from "../model/auth-model.ts";
import type { Manifest } from "../model/manifest.ts";
import type { ReadTx, Row, Store } from "../store/store.ts";
import type { AuthSecrets } from "./auth-secrets.ts";
import {
  assertSecondFactor,
  callerOfKey,
  callerOfSession,
  callerRulesOf,
  type BuiltCaller,
} from "./caller-build.ts";
import { digestOfKey, isKeyText } from "./key-text.ts";
import { KnownCallers, type Knowable, type RowMarks } from "./known-callers.ts";
import { cookieValue, readSessionCookie, sessionCookieName } from "./session-cookie.ts";
import type { TokenKeys } from "./token-keys.ts";
import { verifyToken } from "./token-verify.ts";

/** What credentials say, once they were found to be genuine. */
type Claim =
  | {
      readonly kind: "session";
      readonly session: string;
      readonly epoch: number | null;
      readonly expiresMs: number;
    }
  | { readonly kind: "key"; readonly digest: string }
  | { readonly kind: "claims"; readonly caller: Caller; readonly expiresMs: number };

/** Somebody who was identified. */
export interface Identified {
  readonly caller: Caller;
  /** Null: a key, or a token without a session. */
  readonly session: Row | null;
  readonly lacksSecondFactor: boolean;
}

interface Known extends Identified, Knowable {
  readonly claim: Claim;
  /** When it is to be written down that it was used; Infinity: never. */
  readonly touchMs: number;
  /** The session or key. */
  readonly source: string;
}

/** The identity of an app, with more for identity's own addresses. */
export interface AppIdentity extends Identity {
  /** As `identify`, also for somebody whose second factor is still to be set up. Null: nobody. */
  look(authorization: string | null, cookie: string | null): Later<Identified | null>;
}

/** What identity is made of. */
export interface AppIdentityParts {
  readonly keys: TokenKeys;
  readonly secrets: AuthSecrets;
  readonly manifest: Manifest;
  readonly settings: AuthModel;
  readonly store: Pick<Store, "read">;
  readonly marks: RowMarks;
  readonly clock: Clock;
  readonly limits: Limits;
  /** Whether people reach the server by https only: cookies without the prefix of such are then no cookies of ours. */
  readonly isSecure: boolean;
  /** Told when a session or key was used and limits.authSeenMs went by since that was written down. */
  used(id: string): void;
}

const bearer = /^([A-Za-z][A-Za-z0-9-]*) +(\S+)$/;
const jwtPattern = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** Opens the identity of one version of an app. */
export function openAppIdentity(parts: AppIdentityParts): AppIdentity {
  return new DataIdentity(parts);
}

class DataIdentity implements AppIdentity {
  readonly #parts: AppIdentityParts;
  readonly #rules: ReturnType<typeof callerRulesOf>;
  readonly #callers: KnownCallers<Known>;
  readonly #schemes: ReadonlySet<string>;

  constructor(parts: AppIdentityParts) {
    this.#parts = parts;
    this.#rules = callerRulesOf(parts.manifest, parts.settings);
    this.#callers = new KnownCallers(parts.marks, parts.limits.tokenCacheMax);
    this.#schemes = new Set(["bearer", ...parts.settings.schemes]);
  }

  known(authorization: string | null, cookie: string | null): Caller | null {
    const credentials = this.#credentialsOf(authorization, cookie);
    if (credentials === null) return anonymous;
    const known = this.#knownNow(credentials);
    return known === null || known.lacksSecondFactor ? null : known.caller;
  }

  identify(authorization: string | null, cookie: string | null): Later<Caller> {
    return andThen(this.look(authorization, cookie), (found) => {
      if (found === null) return anonymous;
      assertSecondFactor(found);
      return found.caller;
    });
  }

  look(authorization: string | null, cookie: string | null): Later<Identified | null> {
    const credentials = this.#credentialsOf(authorization, cookie);
    if (credentials === null) return null;
    const known = this.#knownNow(credentials);
    if (known !== null) return known;
    if (authorization === null) {
      const claim = this.#cookieClaim(credentials);
      return claim === null ? null : this.#resolve(credentials, claim);
    }
    return andThen(this.#headerClaim(authorization), (claim) =>
      andThen(this.#resolve(credentials, claim), (known) => {
        if (known === null) throw new PlatformError("TOKEN_INVALID");
        return known;
      }),
    );
  }

  /** What names the caller: the header as it came, or the value of the session cookie; null: nothing does. */
  #credentialsOf(authorization: string | null, cookie: string | null): string | null {
    if (authorization !== null) return authorization;
    return cookie === null ? null : cookieValue(cookie, sessionCookieName, this.#parts.isSecure);
  }

  /** What is known without checking a signature: rows may be read again, at once. */
  #knownNow(credentials: string): Known | null {
    const nowMs = this.#parts.clock.nowMs();
    const known = this.#callers.get(credentials, nowMs);
    if (known !== null) {
      if (nowMs >= known.touchMs) this.#parts.used(known.source);
      return known;
    }
    const before = this.#callers.before(credentials);
    if (before === null) return null;
    if (nowMs >= before.expiresMs) {
      this.#callers.drop(credentials);
      return null;
    }
    const again = this.#resolve(credentials, before.claim);
    // An engine across the network answers later: then it is not known now.
    return again instanceof Promise ? null : again;
  }

  #cookieClaim(value: string): Claim | null {
    const claim = readSessionCookie(this.#parts.secrets, value);
    if (claim === null) return null;
    return { kind: "session", ...claim, expiresMs: Infinity };
  }

  /** @throws TOKEN_INVALID, TOKEN_EXPIRED. */
  #headerClaim(authorization: string): Later<Claim> {
    const { limits, keys, clock } = this.#parts;
    if (authorization.length > limits.tokenCharsMax) throw new PlatformError("TOKEN_INVALID");
    const [, scheme = "", token = ""] = bearer.exec(authorization) ?? [];
    if (!this.#schemes.has(scheme.toLowerCase())) throw new PlatformError("TOKEN_INVALID");
    if (isKeyText(token)) return { kind: "key", digest: digestOfKey(token) };
    if (!jwtPattern.test(token)) throw new PlatformError("TOKEN_INVALID");
    return verifyToken(token, keys, clock.nowMs()).then((verified) =>
      verified.kind === "claims" ? verified : { ...verified, epoch: null },
    );
  }

  /** Reads who it is, and remembers it. @returns null when the data says that it is nobody any more. */
  #resolve(credentials: string, claim: Claim): Later<Known | null> {
    const { store, clock } = this.#parts;
    const mark = this.#callers.mark();
    const nowMs = clock.nowMs();
    const built =
      claim.kind === "claims"
        ? withoutRows(claim)
        : store.read((tx) => this.#build(tx, claim, nowMs));
    return andThen(built, (known) => {
      if (known === null) {
        this.#callers.drop(credentials);
        return null;
      }
      this.#callers.put(credentials, known, { mark, nowMs });
      if (nowMs >= known.touchMs) this.#parts.used(known.source);
      return known;
    });
  }

  #build(
    tx: ReadTx,
    claim: Exclude<Claim, { kind: "claims" }>,
    nowMs: number,
  ): Later<Known | null> {
    if (claim.kind === "key") return this.#buildKey(tx, claim, nowMs);
    const asked = { session: claim.session, epoch: claim.epoch, nowMs };
    return andThen(callerOfSession(tx, this.#rules, asked), (built) => {
      const session = built?.session ?? null;
      if (built === null || session === null) return null;
      const ends = [claim.expiresMs, msOf(session["expiresAt"]), msOf(session["endsAt"])];
      return this.#knownOf(built, claim, {
        expiresMs: Math.min(...ends),
        source: claim.session,
        usedAt: session["seenAt"],
      });
    });
  }

  #buildKey(
    tx: ReadTx,
    claim: Extract<Claim, { kind: "key" }>,
    nowMs: number,
  ): Later<Known | null> {
    const query = {
      kind: "list",
      from: "authKey",
      where: { kind: "field", field: "digest", condition: { eq: claim.digest } },
      orderBy: [{ field: "id", descending: false }],
      limit: 1,
    } as const;
    return andThen(tx.list(query, null), ({ rows: [key] }) => {
      if (key === undefined) return null;
      return andThen(callerOfKey(tx, this.#rules, key, nowMs), (built) => {
        if (built === null) return null;
        const expiresAt = key["expiresAt"] as string | null;
        return this.#knownOf(built, claim, {
          expiresMs: expiresAt === null ? Infinity : msOf(expiresAt),
          source: key["id"] as string,
          usedAt: key["lastUsedAt"],
        });
      });
    });
  }

  #knownOf(
    built: BuiltCaller,
    claim: Claim,
    of: { readonly expiresMs: number; readonly source: string; readonly usedAt: unknown },
  ): Known {
    const { authSeenMs } = this.#parts.limits;
    const touchMs = typeof of.usedAt === "string" ? msOf(of.usedAt) + authSeenMs : 0;
    return { ...built, claim, expiresMs: of.expiresMs, source: of.source, touchMs };
  }
}

function withoutRows(claim: Extract<Claim, { kind: "claims" }>): Known {
  const { caller, expiresMs } = claim;
  const none = { session: null, rows: [], lacksSecondFactor: false };
  return { ...none, claim, caller, expiresMs, source: "", touchMs: Infinity };
}

function msOf(time: unknown): number {
  return msOfTime(time as string);
}
