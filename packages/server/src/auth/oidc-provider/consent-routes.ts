// What a person let other systems have, and taking it back: their sign-ins end with it.
import { PlatformError } from "../../base/platform-error.ts";
import { findAll } from "../account-find.ts";
import type { AuthDesk, AuthProcedure } from "../auth-desk.ts";
import { audit, placeOf, type AuthPlace } from "../auth-event.ts";
import type { AuthAnswer, AuthAsk, AuthRoute } from "../auth-route.ts";
import { userOf } from "../protocol-caller.ts";
import { sessionsOf } from "../session-end.ts";
import { findConsent } from "./provider-code.ts";
import { findClient } from "./provider-client.ts";

const consentsMax = 1_000;

/** The addresses. */
export const consentRoutes: readonly AuthRoute[] = [
  { method: "GET", path: "/auth/consents", access: "signed-in", handle: list },
  { method: "DELETE", path: "/auth/consents/:client", access: "signed-in", handle: withdraw },
];

/** Withdraws a consent. @returns whether there was one. */
export const withdrawConsent: AuthProcedure<
  AuthPlace & { readonly user: string; readonly client: string },
  boolean
> = {
  name: "auth.consentWithdraw",
  async run(scope, { user, client, ...place }) {
    const row = await findConsent(scope, user, client);
    if (row === null) return false;
    await scope.tx.delete("authConsent", row["id"] as string);
    for (const session of await sessionsOf(scope, user)) {
      if (session["client"] === client)
        await scope.tx.delete("authSession", session["id"] as string);
    }
    await audit(scope, { ...place, kind: "consentWithdrawn", user, details: { client } });
    return true;
  },
};

/** `{ consents: [{ client, name, scopes, createdAt }] }`. */
async function list(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const user = userOf(ask);
  const rows = await desk.store.read((tx) =>
    findAll({ tx }, "authConsent", "user", user, consentsMax),
  );
  const consents = rows.map(({ client, scopes = null, createdAt = null }) => {
    const id = client as string;
    return {
      client: id,
      name: findClient(desk.settings.clients, id)?.name ?? id,
      scopes,
      createdAt,
    };
  });
  return { json: { consents } };
}

async function withdraw(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const input = { ...placeOf(ask), user: userOf(ask), client: ask.params["client"] ?? "" };
  if (!(await desk.run(withdrawConsent, input, ask))) throw new PlatformError("NOT_FOUND");
  return {};
}
