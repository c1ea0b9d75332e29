// Identity of an app under attack: its addresses as it lists them itself, and accounts for users that were planted.
import type { Json } from "../base/json.ts";
import { makeTypeId, typeIdPrefix } from "../base/type-id.ts";
import type { IdentityTarget } from "../engineer/attack/attack-target.ts";
import type { Backend } from "./backend.ts";
import { openRealRandom } from "./real-random.ts";

/** Opens it over a server of this process. */
export function attackIdentity(server: { current(): Backend; nowMs(): number }): IdentityTarget {
  return {
    async addresses() {
      const { forPeople } = await server.current().auth.service();
      return forPeople.map(({ method, path, access, kind = "api" }) => ({
        ...{ method, path, access, kind },
      }));
    },
    async giveAccount(user, { email, password }) {
      const { auth, store, writer } = server.current();
      const { desk } = await auth.service();
      const passwordHash = await desk.passwords.hash(password);
      const atMs = server.nowMs();
      // oxlint-disable-next-line no-restricted-globals -- the server's clock, written as text
      const now = new Date(atMs).toISOString();
      const account: Record<string, Json> = {
        ...{ user, email, emailVerified: true, isGuest: false, isService: false, passwordHash },
        ...{ passwordChangedAt: now, hasSecondFactor: false, disabledAt: null, createdAt: now },
        lastSignInAt: null,
      };
      const id = makeTypeId(typeIdPrefix("authAccount"), atMs, openRealRandom());
      const resume = await writer.pause();
      try {
        const group = await store.openGroup();
        const meta = { by: null, cause: "keelson attack: account", requestId: "account" };
        const outcome = await group.mutate({ ...meta, atMs, idempotency: null }, (tx) => {
          tx.insert("authAccount", { id, ...account });
          return "null";
        });
        await group.commit();
        if (outcome.kind === "failed") throw outcome.error;
      } finally {
        resume();
      }
    },
  };
}
