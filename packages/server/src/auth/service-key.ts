// Keys for services: programs that are nobody's. For the operator, who names a service by its id or its name; it is made
// with its first key.
import type { Json } from "../base/json.ts";
import { PlatformError } from "../base/platform-error.ts";
import { isKeyScope } from "../gate/key-scope.ts";
import { findUser, type UserDesk, type UserName } from "./user-token.ts";
import { drawKey } from "./key-text.ts";

/** What is asked for. */
export interface ServiceKeyOrder {
  readonly service: UserName;
  /** Of a service that is made now; null: none. */
  readonly role: string | null;
  /** None: all that the service may. */
  readonly scopes: readonly string[];
  /** RFC 3339; null: it does not end by itself. */
  readonly expiresAt: string | null;
  readonly cause: string;
}

/** A key and whose it is. */
export interface ServiceKey {
  /** Shown this once. */
  readonly token: string;
  readonly user: string;
  /** Whether the service was made for it. */
  readonly created: boolean;
}

/** The operator's way to identity. */
export interface ServiceDesk extends UserDesk {
  /** 256 random bits, base64url. */
  drawSecret(): string;
  procedure(name: string, input: Json, cause: string): Promise<Json>;
}

/** Makes a key. @throws ARGUMENT_INVALID for a scope that is none; USER_NOT_FOUND for a user who is no service. */
export async function issueServiceKey(
  desk: ServiceDesk,
  order: ServiceKeyOrder,
): Promise<ServiceKey> {
  const { service, role, scopes, expiresAt, cause } = order;
  for (const scope of scopes) {
    if (isKeyScope(scope)) continue;
    const issues = [{ path: "scope", problem: `${scope.slice(0, 64)} is no scope` }];
    throw new PlatformError("ARGUMENT_INVALID", { issues });
  }
  const row = await findUser(desk, service);
  if (row === null && service.by !== "name") {
    throw new PlatformError("USER_NOT_FOUND", { [service.by]: service.text });
  }
  const has = (field: string) => Object.hasOwn(desk.manifest.tables["user"]?.fields ?? {}, field);
  const fields = {
    ...(has("name") ? { name: service.text } : {}),
    ...(role !== null && has("role") ? { role } : {}),
  };
  const { text, digest, hint } = drawKey({ draw: () => desk.drawSecret() });
  const user = (row?.["id"] ?? null) as string | null;
  const name = service.text.slice(0, 100);
  const input = { user, fields, name, hint, digest, scopes, expiresAt };
  const made = (await desk.procedure("auth.makeServiceKey", input, cause)) as {
    readonly user: string;
  };
  return { token: text, user: made.user, created: row === null };
}
