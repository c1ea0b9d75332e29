// What identity needs of a host whatever the version of the app is, opened once a thread: mail, keys, environment.
import { join } from "node:path";
import type { Mailbox } from "../auth/mail/mailbox.ts";
import { openTokenKeys, type TokenKeys } from "../auth/token-keys.ts";
import type { Limits } from "../base/limits.ts";
import type { RandomSource } from "../base/random.ts";
import type { SharedQuotas } from "../gate/shared-quota.ts";
import { defaultAuth } from "../model/auth-model.ts";
import { openHostAuth, type AuthVersion, type HostAuth } from "./host-auth.ts";
import { openHostMail } from "./mail-host.ts";
import { realClock } from "./real-clock.ts";
import { realDisk } from "./real-disk.ts";
import { smtpSettings } from "./smtp-settings.ts";

/** How identity is opened in a thread. */
export interface AuthGroundParts {
  /** Absolute. */
  readonly appDir: string;
  readonly dataDir: string;
  readonly mode: "development" | "production";
  readonly publicUrl: string | null;
  /** No letter is sent and no secret of the environment is known. */
  readonly isSealed?: boolean;
  readonly random: RandomSource;
  readonly limits: Limits;
  /** Where limits are counted when several threads hold callers to them. */
  readonly quotas?: SharedQuotas;
  /** The keys, where they were opened before. Default: opened when they are first needed. */
  readonly keys?: TokenKeys;
  report(error: unknown): void;
}

/** Identity's ground. */
export interface AuthGround {
  /** Identity of a version of the app. */
  openAuth(version: AuthVersion): HostAuth;
  /** What was sent, while developing; null in production. */
  readonly mailbox: Mailbox | null;
  /** Tells where the server listens, while somebody develops: letters of functions lead there when nobody says better. */
  listens(url: string): void;
  /** Sends what waits, then lets go. */
  close(): Promise<void>;
}

/** Opens it. @throws MAIL_SETTINGS_INVALID. */
export function openAuthGround(parts: AuthGroundParts): AuthGround {
  const { appDir, dataDir, mode, publicUrl, random, limits, quotas, report } = parts;
  const env = parts.isSealed === true ? {} : process.env;
  const frame = { app: defaultAuth.name, url: publicUrl ?? "" };
  const mail = openHostMail({
    appDir,
    mode,
    smtp: smtpSettings(env),
    clock: realClock,
    limits,
    frame: () => frame,
    report,
  });
  let ownUrl: string | null = null;
  let keys: TokenKeys | null = parts.keys ?? null;
  const keysOnce = () =>
    (keys ??= openTokenKeys({ disk: realDisk, path: join(dataDir, "keys.json"), random }));
  return {
    openAuth(version) {
      const { name, url } = version.manifest.auth ?? defaultAuth;
      frame.app = name;
      frame.url = publicUrl ?? url ?? ownUrl ?? "";
      const auth = openHostAuth(
        {
          clock: realClock,
          random,
          limits,
          keys: keysOnce,
          mail,
          appDir,
          mode,
          publicUrl,
          ownUrl: () => ownUrl,
          ...(quotas === undefined ? {} : { quotas }),
          env,
          report,
        },
        version,
      );
      const services = new Map(auth.services);
      services.set("mail.send", (_run, input) => mail.sendForApp(input));
      return { ...auth, services };
    },
    mailbox: mail.mailbox,
    listens(url) {
      ownUrl = url;
      if (frame.url === "") frame.url = url;
    },
    async close() {
      await mail.idle();
      mail.close();
    },
  };
}
