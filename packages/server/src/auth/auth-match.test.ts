import assert from "node:assert/strict";
import { test } from "node:test";
import { PlatformError } from "../base/platform-error.ts";
import { limits } from "../base/limits.ts";
import { defaultAuth } from "../model/auth-model.ts";
import { timeOfMs } from "../model/field-time.ts";
import { assertAccess } from "./auth-match.ts";
import type { AuthAsk, AuthRoute } from "./auth-route.ts";
import { authRoutes } from "./auth-routes.ts";

const nowMs = Date.parse("2026-01-31T20:15:00.000Z");
const desk = { settings: { ...defaultAuth, secondFactorFor: ["staff"] }, limits };

type Asker = Parameters<typeof assertAccess>[1];

function asker(role: string | null, methods: readonly string[], provedMs = nowMs): Asker {
  const session = { id: "auth_session_1", methods, authenticatedAt: timeOfMs(provedMs) };
  const caller: AuthAsk["caller"] = { id: "user_1", role, me: { id: "user_1", role } };
  return { caller, session, credentialError: null, nowMs };
}

function refusal(route: AuthRoute, ask: Asker): string | null {
  try {
    assertAccess(route, ask, desk);
    return null;
  } catch (error) {
    assert.ok(error instanceof PlatformError);
    return error.code;
  }
}

const lines = (routes: readonly AuthRoute[]) =>
  routes.map(({ method, path, kind = "api" }) => `${kind} ${method} ${path}`).toSorted();

const guarded = authRoutes.filter(({ access }) => access !== "anyone");

test("a role that needs a second factor reaches without one what shows it or sets it up, and nothing else", () => {
  const weak = asker("staff", ["pwd"]);
  const open = guarded.filter((route) => refusal(route, weak) === null);
  assert.deepEqual(lines(open), [
    "api GET /auth/passkeys",
    "api GET /auth/totp",
    "api POST /auth/confirm",
    "api POST /auth/confirm/code",
    "api POST /auth/passkeys",
    "api POST /auth/passkeys/options",
    "api POST /auth/totp/begin",
    "api POST /auth/totp/confirm",
    "page GET /auth/confirm",
    "page GET /auth/confirm/code",
    "page GET /auth/security",
    "page GET /auth/totp/begin",
    "page GET /auth/totp/confirm",
    "page POST /auth/confirm",
    "page POST /auth/confirm/code",
    "page POST /auth/totp/begin",
    "page POST /auth/totp/confirm",
  ]);
  const others = guarded.filter((route) => !open.includes(route));
  assert.ok(others.length > 60, `${others.length} routes`);
  for (const route of others) {
    assert.equal(refusal(route, weak), "SECOND_FACTOR_REQUIRED", `${route.method} ${route.path}`);
  }
});

test("who has shown it, and who needs none, is let in; nobody and stale proofs are not", () => {
  const longAgo = nowMs - limits.authFreshMs - 1;
  const nobody = { ...asker(null, []), session: null };
  for (const route of guarded) {
    const line = `${route.method} ${route.path}`;
    assert.equal(refusal(route, asker("staff", ["pwd", "otp", "mfa"])), null, line);
    assert.equal(refusal(route, asker("customer", ["pwd"])), null, line);
    assert.equal(refusal(route, nobody), "SIGN_IN_REQUIRED", line);
    const stale = route.access === "fresh" ? "FRESH_SIGN_IN_REQUIRED" : null;
    assert.equal(refusal(route, asker("customer", ["pwd"], longAgo)), stale, line);
  }
});

test("the addresses for anybody are those that this table names", () => {
  const open = authRoutes.filter(({ access, kind }) => access === "anyone" && kind !== "page");
  assert.deepEqual([...new Set(open.map(({ method, path }) => `${method} ${path}`))].toSorted(), [
    "GET /.well-known/jwks.json",
    "GET /.well-known/openid-configuration",
    "GET /auth/me",
    "GET /auth/oidc/keys",
    "GET /auth/oidc/userinfo",
    "GET /auth/providers",
    "POST /auth/email-code",
    "POST /auth/email-code/confirm",
    "POST /auth/guest",
    "POST /auth/magic-link",
    "POST /auth/magic-link/confirm",
    "POST /auth/oidc/authorize",
    "POST /auth/oidc/logout",
    "POST /auth/oidc/revoke",
    "POST /auth/oidc/token",
    "POST /auth/oidc/userinfo",
    "POST /auth/passkeys/sign-in",
    "POST /auth/passkeys/sign-in/options",
    "POST /auth/providers/:name/callback",
    "POST /auth/refresh",
    "POST /auth/reset",
    "POST /auth/reset/confirm",
    "POST /auth/second-factor",
    "POST /auth/sign-in",
    "POST /auth/sign-out",
    "POST /auth/sign-up",
    "POST /auth/verify-email/confirm",
  ]);
});
