// Tokens of a client without a cookie: a short access token, and a refresh token that is good once. Where they are kept
// between two starts is the app's choice; in a web page prefer the cookie, which no script can read.
import { askHttp, type Fetch } from "./client-http.ts";
import { KeelsonError } from "./client-error.ts";

/** Both tokens of a session. */
export interface TokenPair {
  readonly accessToken: string;
  readonly refreshToken: string;
}

/** Where tokens outlast the program: a keychain, a file. Text in, text out. */
export interface TokenStorage {
  /** @returns what was saved last, or null. */
  load(): string | null | Promise<string | null>;
  /** @param text null: forget it. */
  save(text: string | null): void | Promise<void>;
}

/** The tokens in use. */
export interface AuthTokens {
  /** The access token; null: nobody is signed in. @param expired the one that the server does not take any more. */
  source(expired: string | null): Promise<string | null>;
  keep(pair: TokenPair | null): void;
}

/** Opens them. @param parts.ended told when the server ends the session: the refresh token is no good any more. */
export function openAuthTokens(parts: {
  readonly base: string;
  readonly fetch: Fetch;
  readonly timeoutMs: number;
  readonly storage: TokenStorage | null;
  ended(): void;
}): AuthTokens {
  const { base, fetch, storage, timeoutMs } = parts;
  let pair: TokenPair | null = null;
  let loading: Promise<void> | null = null;
  let renewing: Promise<void> | null = null;

  async function load(): Promise<void> {
    const text = (await storage?.load()) ?? null;
    pair ??= text === null ? null : readPair(text);
  }

  function keep(next: TokenPair | null): void {
    pair = next;
    loading ??= Promise.resolve();
    void storage?.save(next === null ? null : JSON.stringify(next));
  }

  async function renew({ refreshToken }: TokenPair): Promise<void> {
    const body = { refreshToken };
    const request = { method: "POST", path: "/auth/refresh", body } as const;
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      const attempt = { token: null, idempotencyKey: null, mayBeRepeat: false, signal };
      const answer = readPair(JSON.stringify(await askHttp(fetch, base, request, attempt)));
      // Somebody signed out, or in as another, meanwhile: that counts.
      if (pair?.refreshToken === refreshToken) keep(answer);
    } catch (error) {
      if (!(error instanceof KeelsonError) || error.code !== "TOKEN_INVALID") throw error;
      if (pair?.refreshToken !== refreshToken) return;
      keep(null);
      parts.ended();
    }
  }

  return {
    keep,
    async source(expired) {
      await (loading ??= load());
      if (pair === null || expired === null || pair.accessToken !== expired) {
        return pair?.accessToken ?? null;
      }
      // Many calls find out at the same time; a refresh token is good once.
      renewing ??= renew(pair).finally(() => {
        renewing = null;
      });
      await renewing;
      return (pair as TokenPair | null)?.accessToken ?? null;
    },
  };
}

/** @returns null when it is no pair of tokens. */
function readPair(text: string): TokenPair | null {
  try {
    const { accessToken, refreshToken } = JSON.parse(text) as Partial<TokenPair>;
    if (typeof accessToken !== "string" || typeof refreshToken !== "string") return null;
    return { accessToken, refreshToken };
  } catch {
    return null;
  }
}
