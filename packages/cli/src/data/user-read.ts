// Users with all that identity knows of them, a page at a time: what `keelson users export` writes. Sessions, links on
// their way, authenticator apps and recovery codes are left out: they are worth nothing under other keys and ids.
import type { Json } from "@keelson/sdk/spec";
import type { ListQuery, OperatorDesk } from "@keelson/server/operator";
import type { Row } from "./data-door.ts";

const pageUsers = 200;
const rowsMax = 100_000;

/** Reads a page. @param after the last id of the page before. */
export async function readUsers(
  store: OperatorDesk["store"],
  after: string | null,
): Promise<readonly Row[]> {
  return store.read(async (tx) => {
    const list = async (query: Omit<ListQuery, "kind" | "orderBy">): Promise<readonly Row[]> =>
      (
        await tx.list(
          { kind: "list", orderBy: [{ field: "id", descending: false }], ...query },
          null,
        )
      ).rows;
    const users = await list({
      from: "user",
      limit: pageUsers,
      ...(after === null
        ? {}
        : { where: { kind: "field", field: "id", condition: { gt: after } } as const }),
    });
    const ids = users.map(({ id }) => id as string);
    const of = async (table: string) => {
      if (ids.length === 0) return new Map<Json, readonly Row[]>();
      const where = { kind: "field", field: "user", condition: { in: ids } } as const;
      return Map.groupBy(
        await list({ from: table, where, limit: rowsMax }),
        ({ user }) => user ?? null,
      );
    };
    const accounts = await of("authAccount");
    const identities = await of("authIdentity");
    const passkeys = await of("authPasskey");
    const members = await of("orgMember");
    const keys = await of("authKey");
    const consents = await of("authConsent");
    return users.map((row): Row => {
      const id = row["id"] ?? null;
      const [account] = accounts.get(id) ?? [];
      return {
        id,
        email: account?.["email"] ?? null,
        emailVerified: account?.["emailVerified"] ?? false,
        isGuest: account?.["isGuest"] ?? false,
        passwordHash: account?.["passwordHash"] ?? null,
        hasSecondFactor: account?.["hasSecondFactor"] ?? false,
        disabledAt: account?.["disabledAt"] ?? null,
        createdAt: account?.["createdAt"] ?? null,
        lastSignInAt: account?.["lastSignInAt"] ?? null,
        identities: picked(identities.get(id), ["provider", "subject", "email", "createdAt"]),
        passkeys: picked(passkeys.get(id), [
          "credential",
          "publicKey",
          "counter",
          "transports",
          "name",
          "createdAt",
        ]),
        keys: picked(keys.get(id), [
          "digest",
          "name",
          "hint",
          "scopes",
          "isStrong",
          "createdAt",
          "expiresAt",
          "lastUsedAt",
        ]),
        consents: picked(consents.get(id), ["client", "scopes", "createdAt"]),
        organisations: picked(members.get(id), ["org", "role", "createdAt"]),
        row,
      };
    });
  }) as Promise<readonly Row[]>;
}

function picked(rows: readonly Row[] = [], fields: readonly string[]): Json {
  return rows.map((row) => Object.fromEntries(fields.map((field) => [field, row[field] ?? null])));
}
