// A token for a person who is named by id, e-mail or name: found in the table `user`, and added to it when
// there is none. For the operator and for development: whoever asks this proves nothing of who they are.
import type { Json } from "../base/json.ts";
import { PlatformError } from "../base/platform-error.ts";
import { anonymous } from "../gate/identity.ts";
import type { Operator } from "../gate/operator.ts";
import { startWork } from "../gate/work.ts";
import type { Manifest } from "../model/manifest.ts";
import type { Row, Store } from "../store/store.ts";
import { accountOfEmail, accountOfUser } from "./account-find.ts";
import type { TokenSubject } from "./token-sign.ts";

/** The operator's way to the users of one version of an app. */
export interface UserDesk extends Operator {
  readonly manifest: Manifest;
  readonly store: Store;
}

/** How a user is named. */
export interface UserName {
  readonly by: "id" | "email" | "name";
  readonly text: string;
}

/** Whom a token is for, and for how long. */
export interface UserTokenOrder {
  readonly user: UserName;
  /** Null: the role in the user's row. A new row gets it, if users have a role. */
  readonly role: string | null;
  /** At least 1,000. */
  readonly ttlMs: number;
  /** What the new row is called in the log. */
  readonly cause: string;
}

/** A token and whom it is for. */
export interface UserToken {
  readonly token: string;
  /** The user's id. */
  readonly user: string;
  readonly role: string | null;
  /** Whether the row in `user` was made for it. */
  readonly created: boolean;
}

/** Reads what somebody wrote: an id, an e-mail (it has an @), or else a name. */
export function readUserName(written: string): UserName {
  if (/^user_[0-9a-z]{26}$/v.test(written)) return { by: "id", text: written };
  return { by: written.includes("@") ? "email" : "name", text: written };
}

/** @returns the user, or null. @throws USER_AMBIGUOUS when there are several of that name. */
export async function findUser(desk: UserDesk, { by, text }: UserName): Promise<Row | null> {
  if (by === "id") return desk.store.read((tx) => tx.get("user", text, null));
  const row = hasField(desk, by) ? await userWith(desk, { by, text }) : null;
  return row ?? (by === "email" ? userOfAccount(desk, text) : null);
}

/** Who signs in with an address: users need not have it in their row. */
async function userOfAccount({ store }: UserDesk, email: string): Promise<Row | null> {
  return await store.read(async (tx) => {
    const account = await accountOfEmail({ tx }, email.toLowerCase());
    return account === null ? null : tx.get("user", account["user"] as string, null);
  });
}

async function userWith(desk: UserDesk, { by, text }: UserName): Promise<Row | null> {
  const page = await desk.store.read((tx) =>
    tx.list(
      {
        kind: "list",
        from: "user",
        where: { kind: "field", field: by, condition: { eq: text } },
        orderBy: [{ field: "id", descending: false }],
        limit: 2,
      },
      null,
    ),
  );
  if (page.rows.length < 2) return page.rows[0] ?? null;
  throw new PlatformError("USER_AMBIGUOUS", { [by]: text });
}

/**
 * Signs a token, for a new user when there is none of that e-mail or name. Two at once for the same new user
 * may make two: whoever can be asked twice at once asks one after the other.
 * @throws USER_AMBIGUOUS; ACCOUNT_DISABLED when the account is closed; USER_NOT_FOUND when there is none and none can be made; VALUE_INVALID when users
 *   need more than a name.
 */
export async function issueUserToken(
  desk: UserDesk,
  order: UserTokenOrder,
  signToken: (subject: TokenSubject) => Promise<string>,
): Promise<UserToken> {
  const found = await findUser(desk, order.user);
  const row = found ?? (await makeUser(desk, order));
  const user = row["id"] as string;
  const account = await desk.store.read((tx) => accountOfUser({ tx }, user));
  if (account !== null && account["disabledAt"] !== null) {
    throw new PlatformError("ACCOUNT_DISABLED", { user });
  }
  const own = row["role"];
  const role = order.role ?? (typeof own === "string" ? own : null);
  const token = await signToken({ user, role, ttlMs: order.ttlMs });
  return { token, user, role, created: found === null };
}

async function makeUser(desk: UserDesk, { user, role, cause }: UserTokenOrder): Promise<Row> {
  const { by, text } = user;
  if (by === "id") throw new PlatformError("USER_NOT_FOUND", { id: text });
  if (!hasField(desk, by)) {
    const problem = `the table user has no field ${by} to make one with`;
    throw new PlatformError("USER_NOT_FOUND", { [by]: text, problem });
  }
  const value: Record<string, Json> = { [by]: text };
  if (role !== null && hasField(desk, "role")) value["role"] = role;
  const { json } = await desk.execute(
    { kind: "create", table: "user", value },
    {
      caller: anonymous,
      authority: "system",
      asksAllow: false,
      idempotencyKey: null,
      cause,
      work: startWork(),
    },
  );
  return JSON.parse(json) as Row;
}

function hasField({ manifest }: UserDesk, field: string): boolean {
  return Object.hasOwn(manifest.tables["user"]?.fields ?? {}, field);
}
