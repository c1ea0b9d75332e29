// Finding accounts, and who they are elsewhere, inside a transaction.
import { PlatformError } from "../base/platform-error.ts";
import { rowsWith, rowWith } from "../store/row-find.ts";
import type { ReadTx, Row } from "../store/store.ts";

/** Reads of a transaction or a snapshot. */
type Reads = { readonly tx: Pick<ReadTx, "list"> };

/** The account of a user. @throws USER_NOT_FOUND when identity knows nothing of the user. */
export async function accountOf(scope: Reads, user: string): Promise<Row> {
  const row = await accountOfUser(scope, user);
  if (row === null) throw new PlatformError("USER_NOT_FOUND");
  return row;
}

/** The account of a user, or null. */
export function accountOfUser(scope: Reads, user: string): Promise<Row | null> {
  return findOne(scope, "authAccount", "user", user);
}

/** The account that signs in with an address, or null. @param email as `normalEmail` gives it. */
export function accountOfEmail(scope: Reads, email: string): Promise<Row | null> {
  return findOne(scope, "authAccount", "email", email);
}

/** The account that somebody has elsewhere, or null. @param person who they are at which provider. */
export async function findIdentity(
  { tx }: Reads,
  { provider, subject }: { readonly provider: string; readonly subject: string },
): Promise<Row | null> {
  return rowWith(tx, "authIdentity", { provider, subject });
}

/** The one row with that value in a unique field, or null. */
export async function findOne(
  { tx }: Reads,
  table: string,
  field: string,
  value: string,
): Promise<Row | null> {
  return rowWith(tx, table, { [field]: value });
}

/** All rows with that value, in the order of their ids. @param max at most so many. */
export async function findAll(
  { tx }: Reads,
  table: string,
  field: string,
  value: string,
  max: number,
): Promise<readonly Row[]> {
  return rowsWith(tx, table, { [field]: value }, max);
}
