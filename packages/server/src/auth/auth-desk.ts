// What identity works with in one thread, for one version of the app. Routes get it beside what was asked; whatever
// changes data goes from here to the writer as a procedure, one transaction each.
import type { Clock } from "../base/clock.ts";
import type { Json } from "../base/json.ts";
import type { Limits } from "../base/limits.ts";
import type { RandomSource } from "../base/random.ts";
import { addressKey } from "../gate/address-key.ts";
import { anonymous, type Caller } from "../gate/identity.ts";
import type { Procedure } from "../gate/gate-app.ts";
import { startWork } from "../gate/work.ts";
import type { Writer } from "../gate/writer.ts";
import type { AuthModel } from "../model/auth-model.ts";
import type { Manifest } from "../model/manifest.ts";
import type { Store } from "../store/store.ts";
import type { AuthRates } from "./auth-rates.ts";
import type { AuthSecrets } from "./auth-secrets.ts";
import type { MailPort } from "./mail-port.ts";
import type { PasswordHasher } from "./password-hash.ts";
import type { PasswordList } from "./password-list.ts";
import type { TokenKeys } from "./token-keys.ts";

/** How identity asks other servers: the `fetch` of the standard, with the host's rules. */
export type AuthFetch = (url: string, init?: RequestInit) => Promise<Response>;

/** What a desk is made of. */
export interface AuthParts {
  readonly manifest: Manifest;
  readonly store: Store;
  readonly writer: Pick<Writer, "submit">;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly limits: Limits;
  readonly keys: TokenKeys;
  readonly mail: MailPort;
  readonly fetch: AuthFetch;
  readonly passwords: PasswordHasher;
  readonly commonPasswords: PasswordList;
  readonly rates: AuthRates;
  /** The app's own sheet for the pages, keelson/auth.css, asked for each page; null or absent: none. */
  readonly theme?: () => string | null;
  /** Scheme, host and port that the server was told people reach it at; null: it was not told. */
  readonly publicUrl: string | null;
  /** Where this server listens, while somebody develops; null otherwise. */
  readonly ownUrl?: () => string | null;
  /** A secret that the app's settings name, from the environment; null when it is not set. */
  secret(name: string): string | null;
  /** Told of failures that no request is told of. */
  report(error: unknown): void;
}

/** What a procedure is run for. */
export interface AuthCause {
  readonly requestId: string;
  readonly nowMs: number;
  readonly caller?: Caller;
  /** Who it counts for in the writer's queue, when it is nobody. */
  readonly address?: string;
}

/** Identity at work. */
export interface AuthDesk extends AuthParts {
  /** The app's settings, complete. */
  readonly settings: AuthModel;
  /** Secrets, digests and seals. */
  readonly secrets: AuthSecrets;
  /**
   * Runs a procedure in the writer. @returns its answer when it is durable. @throws what the procedure throws.
   */
  run<I extends Json, O extends Json>(
    procedure: AuthProcedure<I, O>,
    input: I,
    ask: AuthCause,
  ): Promise<O>;
}

/** A procedure of identity: its name, and the script. All are listed in auth-procedures.ts. */
export interface AuthProcedure<I extends Json = never, O extends Json = Json> {
  /** `auth.signUp`: the word before the dot is `auth`. */
  readonly name: `auth.${string}`;
  readonly run: (scope: Parameters<Procedure["run"]>[0], input: I) => O | Promise<O>;
}

/** Opens a desk. @param settings of the manifest, complete. */
export function openAuthDesk(
  parts: AuthParts,
  own: { readonly settings: AuthModel; readonly secrets: AuthSecrets },
): AuthDesk {
  return {
    ...parts,
    secret: (name) => parts.secret(name),
    report: (error) => parts.report(error),
    ...own,
    async run<I extends Json, O extends Json>(
      procedure: AuthProcedure<I, O>,
      input: I,
      ask: AuthCause,
    ): Promise<O> {
      const { name } = procedure;
      const { caller = anonymous, address } = ask;
      const { json } = await parts.writer.submit(
        {
          operation: { kind: "procedure", name, input },
          caller,
          authority: "system",
          // Whoever floods one address of identity waits behind nobody but themselves.
          lane: caller.id ?? (address === undefined ? "identity" : addressKey(address)),
          cause: name,
          requestId: ask.requestId,
          atMs: ask.nowMs,
          idempotency: null,
        },
        startWork(),
      );
      return JSON.parse(json) as O;
    },
  };
}
