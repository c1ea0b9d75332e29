// Other systems that sign in with this app's users, as the app declares them in `auth.clients`.
import { createHash, timingSafeEqual } from "node:crypto";
import type { AuthClient, AuthModel } from "../../model/auth-model.ts";
import { OAuthError } from "./oauth-error.ts";

/** A system that may ask. */
export interface ProviderClient extends AuthClient {
  readonly id: string;
}

/** What a client brought to show who it is. */
export interface ClientCredentials {
  readonly id: string;
  /** null: none was sent. */
  readonly secret: string | null;
}

/** A client by its id, or null. */
export function findClient(clients: AuthModel["clients"], id: string): ProviderClient | null {
  const client = Object.hasOwn(clients, id) ? clients[id] : undefined;
  return client === undefined ? null : { ...client, id };
}

/**
 * The client that these credentials belong to.
 * @param secretOf the value of a declared secret; null when it is not set: then nobody is that client.
 * @throws OAuthError invalid_client.
 */
export function authenticateClient(
  clients: AuthModel["clients"],
  { id, secret }: ClientCredentials,
  secretOf: (name: string) => string | null,
): ProviderClient {
  const client = findClient(clients, id);
  const name = client?.secret ?? null;
  const expected = name === null ? null : secretOf(name);
  // Compared also when there is nothing to compare with, so that the time tells nothing.
  const isRight =
    isSameSecret(secret ?? "", expected ?? "") && expected !== null && expected !== "";
  // A public client that sends a secret believes in one that nobody checks.
  const accepted = name === null ? secret === null : secret !== null && isRight;
  if (client !== null && accepted) return client;
  throw new OAuthError("invalid_client", "unknown client or wrong secret");
}

function isSameSecret(given: string, expected: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

/** Whether `uri` is one that the client declared; a loopback address may use any port (RFC 8252, 7.3). */
export function allowsRedirect(declared: readonly string[], uri: string): boolean {
  return declared.some((entry) => entry === uri || isSameLoopback(entry, uri));
}

const loopback = /^http:\/\/(127\.0\.0\.1|\[::1\])(?::\d{1,5})?(\/[^#]*)?$/v;

function isSameLoopback(declared: string, uri: string): boolean {
  const left = loopback.exec(declared);
  const right = loopback.exec(uri);
  // Five digits are more than there are ports.
  if (left === null || right === null || !URL.canParse(uri)) return false;
  return left[1] === right[1] && (left[2] ?? "/") === (right[2] ?? "/");
}
