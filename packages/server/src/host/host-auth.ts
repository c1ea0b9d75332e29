// Identity in one thread: what it is made of on a real host. Its code is loaded when the first credentials come, or the
// first request under /auth: its libraries are a tenth of a second of a cold start.
import type { AppIdentity } from "../auth/app-identity.ts";
import type { AuthService } from "../auth/auth-service.ts";
import type { MailPort } from "../auth/mail-port.ts";
import type { TokenKeys } from "../auth/token-keys.ts";
import type { Clock } from "../base/clock.ts";
import type { Limits } from "../base/limits.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { RandomSource } from "../base/random.ts";
import type { Service, Services } from "../gate/gate-app.ts";
import type { Identity } from "../gate/identity.ts";
import type { SharedQuotas } from "../gate/shared-quota.ts";
import type { Writer } from "../gate/writer.ts";
import type { Manifest } from "../model/manifest.ts";
import type { CommitMark } from "../store/commit-mark.ts";
import type { Store } from "../store/store.ts";
import { openAuthTheme } from "./auth-theme.ts";
import { lazyIdentity } from "./lazy-identity.ts";
import { realDisk } from "./real-disk.ts";

/** What identity has on this host, whatever the version of the app. */
export interface HostAuthParts {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly limits: Limits;
  readonly keys: () => TokenKeys;
  readonly mail: MailPort;
  /** Absolute; keelson/auth.css in it is the pages' theme. */
  readonly appDir: string;
  readonly mode: "development" | "production";
  /** Where people reach the server; null: it was not told. */
  readonly publicUrl: string | null;
  /** Where it listens, while somebody develops; null otherwise. */
  readonly ownUrl?: () => string | null;
  readonly quotas?: SharedQuotas;
  /** Environment variables. */
  readonly env: Readonly<Record<string, string | undefined>>;
  report(error: unknown): void;
}

/** One version of the app, for identity. */
export interface AuthVersion {
  readonly manifest: Manifest;
  readonly store: Store;
  readonly writer: Pick<Writer, "submit">;
  readonly mark: CommitMark;
}

/** Identity of a version. */
export interface HostAuth {
  readonly identity: Identity;
  service(): Promise<AuthService>;
  /** `ctx.auth` of actions and http functions. */
  readonly services: Services;
}

/** The names of auth/auth-functions.ts, which is loaded with the rest. */
const authFunctionNames: readonly string[] = [
  "auth.createUser",
  "auth.verifyPassword",
  "auth.setPassword",
  "auth.setEmail",
  "auth.deleteUser",
  "auth.openSession",
  "auth.endSession",
  "auth.issueToken",
  "auth.createOrg",
  "auth.addMember",
  "auth.setMemberRole",
  "auth.removeMember",
  "auth.inviteMember",
  "auth.listMembers",
];
const passwordsFile = new URL("../../data/common-passwords.txt", import.meta.url);

/** Opens identity for a version of the app. */
export function openHostAuth(parts: HostAuthParts, version: AuthVersion): HostAuth {
  let loading: Promise<AuthService> | null = null;
  const service = (): Promise<AuthService> => (loading ??= loadService(parts, version));
  const identity = lazyIdentity(async (): Promise<AppIdentity> => (await service()).identity);
  const services = new Map(
    authFunctionNames.map((name): [string, Service] => [
      name,
      async (run, input) => (await service()).callFunction(name, run, input),
    ]),
  );
  return { identity, service, services };
}

async function loadService(parts: HostAuthParts, version: AuthVersion): Promise<AuthService> {
  const { clock, random, limits, quotas, mail, publicUrl, env } = parts;
  const { manifest, store, writer, mark } = version;
  const [{ openAppIdentity }, { openAuthDesk }, service, auth, passwords] = await Promise.all([
    import("../auth/app-identity.ts"),
    import("../auth/auth-desk.ts"),
    import("../auth/auth-service.ts"),
    import("../auth/auth-secrets.ts"),
    import("./host-passwords.ts"),
  ]);
  const { openAuthRates } = await import("../auth/auth-rates.ts");
  const { openAuthFetch } = await import("./auth-fetch.ts");
  const { openRealEgress } = await import("./real-egress.ts");
  const { noteUsed } = await import("../auth/account/upkeep.ts");
  const { defaultAuth } = await import("../model/auth-model.ts");
  const settings = manifest.auth ?? defaultAuth;
  const keys = parts.keys();
  const secrets = auth.openAuthSecrets(keys, random);
  const desk = openAuthDesk(
    {
      manifest,
      store,
      writer,
      clock,
      random,
      limits,
      keys,
      mail,
      publicUrl,
      ownUrl: () => parts.ownUrl?.() ?? null,
      fetch: openAuthFetch(openRealEgress(), settings.internalHosts),
      passwords: passwords.openHostPasswords({ clock, limits, random }),
      commonPasswords: passwords.openCommonPasswords(realDisk, passwordsFile),
      rates: openAuthRates({
        clock,
        random,
        keysMax: limits.rateLimitKeysMax,
        ...(quotas === undefined ? {} : { quotas }),
      }),
      theme: openAuthTheme(realDisk, parts),
      secret: (name) => env[name] ?? null,
      report: (error) => parts.report(error),
    },
    { settings, secrets },
  );
  const noting = new Set<string>();
  const used = (id: string): void => {
    if (noting.has(id)) return;
    noting.add(id);
    const ask = { requestId: "identity", nowMs: clock.nowMs() };
    desk
      .run(noteUsed, { id }, ask)
      .catch((error: unknown) => {
        // A writer that is busy or going away: the next use is noted.
        if (!(error instanceof PlatformError)) parts.report(error);
      })
      .finally(() => noting.delete(id));
  };
  const identity = openAppIdentity({
    keys,
    secrets,
    manifest,
    settings,
    store,
    marks: mark,
    clock,
    limits,
    isSecure: (publicUrl ?? settings.url)?.startsWith("https:") === true,
    used,
  });
  return service.openAuthService(identity, desk);
}
