// Tickets: rights that are used once. The secret is drawn where it is handed out and only its digest comes here, so
// that neither the database nor its log can open anything. Taking a ticket deletes it in the transaction of what it
// allows: of two who come with the same one, the second finds nothing.
import type { Json } from "../base/json.ts";
import { PlatformError } from "../base/platform-error.ts";
import { timeText } from "../gate/gate-app.ts";
import type { ProcedureScope } from "../gate/gate-app.ts";
import { timeOfMs } from "../model/field-time.ts";
import type { Row } from "../store/store.ts";
import { findAll } from "./account-find.ts";

/** More than one user has at a time. */
const ticketsMax = 10_000;

/** A ticket to be made. */
export type NewTicket = {
  readonly purpose: string;
  readonly user: string | null;
  /** What it is about: an e-mail address, a client. */
  readonly subject: string | null;
  /** `secrets.digest` of a drawn secret, or `secrets.keyedDigest` of a short code. */
  readonly digest: string;
  readonly ttlMs: number;
  readonly data?: Json;
};

/** Makes a ticket. @returns its id: tickets are found by it, and it may be shown. */
export async function issueTicket(scope: ProcedureScope, ticket: NewTicket): Promise<string> {
  const { run, tx } = scope;
  const id = run.app.newId("authTicket");
  await tx.insert("authTicket", {
    id,
    purpose: ticket.purpose,
    user: ticket.user,
    subject: ticket.subject,
    digest: ticket.digest,
    data: ticket.data ?? null,
    tries: 0,
    createdAt: timeText(run.nowMs),
    expiresAt: timeOfMs(run.nowMs + ticket.ttlMs),
  });
  return id;
}

/** Which ticket somebody shows. */
export type ShownTicket = {
  readonly purpose: string;
  readonly id: string;
  /** Of the secret that was shown, made as the ticket's was. */
  readonly digest: string;
};

/**
 * Takes a ticket: it is gone with this transaction.
 * @returns its row. @throws TICKET_INVALID when there is none such, or it is for something else, wrong or too late.
 */
export async function takeTicket(scope: ProcedureScope, shown: ShownTicket): Promise<Row> {
  const row = await findTicket(scope, shown);
  if (row["digest"] !== shown.digest) throw new PlatformError("TICKET_INVALID");
  await scope.tx.delete("authTicket", shown.id);
  return row;
}

/**
 * Takes a ticket by a short code, which can be guessed: every wrong one counts, and after `triesMax` the ticket is void.
 * @returns the row, or null for a wrong code: the caller must then commit, or the try is not counted.
 * @throws TICKET_INVALID.
 */
export async function takeTicketByCode(
  scope: ProcedureScope,
  shown: ShownTicket,
  triesMax: number,
): Promise<Row | null> {
  const row = await findTicket(scope, shown);
  if (row["digest"] === shown.digest) {
    await scope.tx.delete("authTicket", shown.id);
    return row;
  }
  const tries = (row["tries"] as number) + 1;
  if (tries >= triesMax) await scope.tx.delete("authTicket", shown.id);
  else await scope.tx.update("authTicket", shown.id, { tries });
  return null;
}

/**
 * Makes a user's tickets void. @param purpose null: all of them. Whoever had the account in their hands may have asked for
 * some and kept them: a letter with another address, the first of two steps, a code for another system.
 */
export async function dropTickets(
  scope: ProcedureScope,
  user: string,
  purpose: string | null,
): Promise<void> {
  for (const ticket of await findAll(scope, "authTicket", "user", user, ticketsMax)) {
    if (purpose !== null && ticket["purpose"] !== purpose) continue;
    await scope.tx.delete("authTicket", ticket["id"] as string);
  }
}

async function findTicket(scope: ProcedureScope, shown: ShownTicket): Promise<Row> {
  const row = await scope.tx.get("authTicket", shown.id, null);
  if (row === null || row["purpose"] !== shown.purpose) throw new PlatformError("TICKET_INVALID");
  // Times are text whose order is the order of time.
  if ((row["expiresAt"] as string) <= timeText(scope.run.nowMs)) {
    throw new PlatformError("TICKET_INVALID");
  }
  return row;
}
