// `api.auth`: signing in and out from a client. With cookies (the default, for pages of the same site) the browser keeps
// the session and no script sees it; with tokens (apps, other origins) this file keeps them and renews them.
import type { AuthTokens } from "./auth-client-tokens.ts";
import type {
  ClientAuth,
  ClientMe,
  ClientPasskey,
  ClientSession,
  MeState,
  SignInResult,
} from "./auth-client-surface.ts";
import { accessCalls } from "./auth-client-access.ts";
import type { AuthAsk } from "./auth-client-ask.ts";
import { orgCalls } from "./auth-client-orgs.ts";
import { createPasskey, usePasskey } from "./auth-client-passkey.ts";
import { AuthTabs } from "./auth-client-tabs.ts";
import { askHttp, type Fetch, type HttpRequest } from "./client-http.ts";
import { askToken, type TokenSource } from "./client-token.ts";
import type { Id } from "./id.ts";
import type { Stop } from "./live-store.ts";

/** What it needs of its client. */
export interface AuthClientParts {
  /** Without a slash at its end. */
  readonly base: string;
  readonly fetch: Fetch;
  readonly timeoutMs: number;
  /** Null: the browser keeps a cookie, or the app has a token of its own. */
  readonly tokens: AuthTokens | null;
  /** What the app calls with, it asks with: that of `tokens`, or its own. */
  readonly token: TokenSource;
  /** Who calls is somebody else now. */
  changed(): void;
}

type Body = { readonly [name: string]: unknown };
/** What a browser is asked to make or to use a passkey with. */
type Options = { readonly options: unknown };
type SignInAnswer =
  | { readonly secondFactor: { readonly ticket: string } }
  | {
      readonly secondFactor?: never;
      readonly user: Id<"user">;
      readonly accessToken?: string;
      readonly refreshToken?: string;
    };

const unknownState: MeState<never> = Object.freeze({ me: undefined, isLoading: true, error: null });

/** `api.auth`, and what its client tells it. */
export interface AuthClient {
  readonly surface: ClientAuth;
  /** The server ended the session: nobody is signed in any more. */
  ended(): void;
  /** The session of a cookie ended, and another page may have signed in since: it is asked who is here. */
  cookieEnded(): void;
  /** There are live queries now: they are to be those of whoever signs in in another page, too. */
  followTabs(): void;
  /** For good. */
  close(): void;
}

/** Opens it. Nothing is asked before somebody asks. */
export function openAuthClient(parts: AuthClientParts): AuthClient {
  const client = new OwnAuthClient(parts);
  return {
    surface: client.surface(),
    ended: () => client.ended(),
    cookieEnded: () => client.askAgain(),
    followTabs: () => client.followTabs(),
    close: () => client.close(),
  };
}

class OwnAuthClient {
  readonly #parts: AuthClientParts;
  readonly #listeners = new Set<() => void>();
  #state: MeState = unknownState;
  /** Counts changes of who is signed in: an answer to an older question is not news. */
  #turn = 0;
  /** Null: who calls is not a matter of the browser's cookie. */
  readonly #tabs: AuthTabs | null;

  constructor(parts: AuthClientParts) {
    this.#parts = parts;
    const isCookie = parts.tokens === null && parts.token === null;
    this.#tabs = isCookie ? new AuthTabs(parts.base, () => this.askAgain()) : null;
  }

  surface(): ClientAuth {
    const ask: AuthAsk = (method, path, body) =>
      this.#ask({ method, path, ...(body === undefined ? {} : { body }) });
    return Object.freeze({
      ...this.#signing(),
      ...this.#account(),
      ...this.#factors(),
      ...accessCalls(ask),
      ...orgCalls(ask, () => this.#renewed()),
    });
  }

  #signing() {
    const signIn = (path: string, body: Body) => this.#signIn(path, body);
    return {
      me: () => this.#me(),
      store: Object.freeze({
        subscribe: (changed: () => void) => this.#subscribe(changed),
        getSnapshot: () => this.#state,
      }),
      signUp: async (fields: Body) => void (await this.#post("/auth/sign-up", fields)),
      sendConfirmation: async () => void (await this.#post("/auth/verify-email", {})),
      confirmEmail: (fields: Body) => signIn("/auth/verify-email/confirm", fields),
      signIn: (fields: Body) => signIn("/auth/sign-in", fields),
      secondFactor: (fields: Body) => signIn("/auth/second-factor", fields),
      guest: () => signIn("/auth/guest", {}),
      sendLink: async (fields: Body) => void (await this.#post("/auth/magic-link", fields)),
      followLink: (fields: Body) => signIn("/auth/magic-link/confirm", fields),
      sendCode: (fields: Body) => this.#post<{ ticket: string }>("/auth/email-code", fields),
      enterCode: (fields: Body) => signIn("/auth/email-code/confirm", fields),
      signInWithPasskey: async () => {
        const { options } = await this.#post<Options>("/auth/passkeys/sign-in/options", {});
        return signIn("/auth/passkeys/sign-in", { credential: await usePasskey(options) });
      },
      forgotPassword: async (fields: Body) => void (await this.#post("/auth/reset", fields)),
      resetPassword: (fields: Body) => signIn("/auth/reset/confirm", fields),
      providerUrl: (provider: string, next = "") => {
        const path = `${this.#parts.base}/auth/providers/${encodeURIComponent(provider)}/start`;
        return next === "" ? path : `${path}?${new URLSearchParams({ next }).toString()}`;
      },
      signOut: async () => {
        await this.#post("/auth/sign-out", {});
        this.#parts.tokens?.keep(null);
        this.ended();
        this.#tabs?.tell();
      },
    };
  }

  #account() {
    return {
      confirm: async (proof: Body) => void (await this.#post("/auth/confirm", proof)),
      sendConfirmCode: () => this.#post<{ ticket: string }>("/auth/confirm/code", {}),
      changePassword: async (fields: Body) => void (await this.#post("/auth/password", fields)),
      changeEmail: async (fields: Body) => void (await this.#post("/auth/email", fields)),
      deleteAccount: async () => {
        await this.#delete("/auth/account");
        this.#parts.tokens?.keep(null);
        this.ended();
        this.#tabs?.tell();
      },
      sessions: async () =>
        (await this.#get<{ sessions: readonly ClientSession[] }>("/auth/sessions")).sessions,
      endSession: (id: string) => this.#delete(`/auth/sessions/${encodeURIComponent(id)}`),
      endOtherSessions: async () => void (await this.#post("/auth/sessions/revoke-all", {})),
      events: (after?: string) => {
        const query = after === undefined ? "" : `?${new URLSearchParams({ after }).toString()}`;
        return this.#get<Awaited<ReturnType<ClientAuth["events"]>>>(`/auth/events${query}`);
      },
    };
  }

  #factors() {
    type Codes = { readonly recoveryCodes: readonly string[] };
    return {
      totp: () => this.#get<{ enabled: boolean; recoveryCodesLeft: number }>("/auth/totp"),
      beginTotp: () => this.#post<{ secret: string; uri: string }>("/auth/totp/begin", {}),
      confirmTotp: (fields: Body) => this.#post<Codes>("/auth/totp/confirm", fields),
      removeTotp: () => this.#delete("/auth/totp"),
      renewRecoveryCodes: () => this.#post<Codes>("/auth/recovery-codes", {}),
      passkeys: async () =>
        (await this.#get<{ passkeys: readonly ClientPasskey[] }>("/auth/passkeys")).passkeys,
      addPasskey: async ({ name = "" }: { readonly name?: string } = {}) => {
        const { options } = await this.#post<Options>("/auth/passkeys/options", {});
        const credential = await createPasskey(options);
        return this.#post<{ id: string }>("/auth/passkeys", { credential, name });
      },
      renamePasskey: async (id: string, name: string) => {
        const path = `/auth/passkeys/${encodeURIComponent(id)}`;
        await this.#ask({ method: "PATCH", path, body: { name } });
      },
      removePasskey: (id: string) => this.#delete(`/auth/passkeys/${encodeURIComponent(id)}`),
    };
  }

  async #me(): Promise<ClientMe | null> {
    const turn = this.#turn;
    const me = await this.#askMe();
    if (turn === this.#turn) this.#set({ me, isLoading: false, error: null });
    return me;
  }

  /** The server answers that nobody is here also to a token that it does not take any more: is there a newer one? */
  async #askMe(): Promise<ClientMe | null> {
    type Answer = { readonly me: ClientMe | null };
    const ask = (token: string | null) =>
      this.#ask<Answer>({ method: "GET", path: "/auth/me" }, token);
    const token = await this.#token(null);
    const { me } = await ask(token);
    if (me !== null || token === null) return me;
    const newer = await this.#token(token);
    return newer === null || newer === token ? null : (await ask(newer)).me;
  }

  /** What to ask with; null: nothing, or the browser's cookie. @param expired what the server does not take any more. */
  #token(expired: string | null): Promise<string | null> {
    return askToken(this.#parts.token, expired, this.#parts);
  }

  #subscribe(changed: () => void): Stop {
    this.#listeners.add(changed);
    this.followTabs();
    if (this.#state.me === undefined) this.#load();
    return () => void this.#listeners.delete(changed);
  }

  #load(): void {
    const turn = this.#turn;
    this.#me().catch((error: unknown) => {
      if (turn === this.#turn) this.#set({ ...this.#state, isLoading: false, error });
    });
  }

  async #signIn(path: string, body: Body): Promise<SignInResult> {
    const { tokens } = this.#parts;
    const answer = await this.#post<SignInAnswer>(
      path,
      tokens === null ? body : { ...body, tokens: true },
    );
    if (answer.secondFactor !== undefined)
      return { kind: "second-factor", ticket: answer.secondFactor.ticket };
    const { user, accessToken, refreshToken } = answer;
    if (accessToken !== undefined && refreshToken !== undefined) {
      tokens?.keep({ accessToken, refreshToken });
    }
    await this.#renewed();
    return { kind: "signed-in", user };
  }

  /** Who is signed in, or what they may do, is another: everything asks again. */
  async #renewed(): Promise<void> {
    this.#turn += 1;
    this.#parts.changed();
    this.#tabs?.tell();
    await this.#me();
  }

  ended(): void {
    this.#turn += 1;
    this.#parts.changed();
    this.#set({ me: null, isLoading: false, error: null });
  }

  /** Who calls is another, and only the server knows who. Whoever waits for the first answer waits for this one. */
  askAgain(): void {
    this.#turn += 1;
    this.#parts.changed();
    if (this.#state !== unknownState || this.#listeners.size > 0) this.#load();
  }

  followTabs(): void {
    this.#tabs?.listen();
  }

  close(): void {
    this.#tabs?.close();
  }

  #set(state: MeState): void {
    this.#state = Object.freeze(state);
    for (const listener of [...this.#listeners]) listener();
  }

  #get<T>(path: string): Promise<T> {
    return this.#ask<T>({ method: "GET", path });
  }

  #post<T>(path: string, body: Body): Promise<T> {
    return this.#ask<T>({ method: "POST", path, body });
  }

  async #delete(path: string): Promise<void> {
    await this.#ask({ method: "DELETE", path });
  }

  /** Once: what signs in is not sent again by itself. A token that ran out is renewed first. */
  async #ask<T>(request: HttpRequest, given?: string | null): Promise<T> {
    const { base, fetch, timeoutMs } = this.#parts;
    const send = (token: string | null) =>
      askHttp(fetch, base, request, {
        token,
        idempotencyKey: null,
        mayBeRepeat: false,
        signal: AbortSignal.timeout(timeoutMs),
      });
    const token = given === undefined ? await this.#token(null) : given;
    try {
      return (await send(token)) as T;
    } catch (error) {
      const { code } = error as { readonly code?: unknown };
      const isRefused = code === "TOKEN_EXPIRED" || code === "TOKEN_INVALID";
      if (token === null || !isRefused) throw error;
      const newer = await this.#token(token);
      if (newer === token) throw error;
      return (await send(newer)) as T;
    }
  }
}
