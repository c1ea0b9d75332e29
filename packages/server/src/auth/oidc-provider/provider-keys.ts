// The key that signs id_tokens. RS256 is the one algorithm that every OpenID client must know (OpenID Connect Core
// 15.1), so it is an RSA key beside the server's own. It is made when it is first needed, sealed with the server's
// key file, and kept in the database: all threads, and all servers of one database, use the same one.
// Node makes RSA keys of the machine's randomness only: this is the one secret that no RandomSource gives.
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
} from "node:crypto";
import { promisify } from "node:util";
import type { JWK } from "jose";
import { PlatformError } from "../../base/platform-error.ts";
import { timeText } from "../../gate/gate-app.ts";
import type { AuthDesk, AuthProcedure } from "../auth-desk.ts";
import { timeOfMs } from "../../model/field-time.ts";

/** An RSA key. */
export interface ProviderKey {
  /** RFC 7638. */
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** As it is published. */
  readonly jwk: JWK;
}

const purpose = "oidcKey";
const sealLabel = "oidc key";
const modulusBits = 2_048;
/** Tickets end; this one after more years than anybody waits. */
const farMs = 100 * 365 * 86_400_000;

/** Keeps a new key unless there is one. @returns the one that is kept from now on, sealed. */
export const keepProviderKey: AuthProcedure<
  { readonly sealed: string; readonly replaces: string | null },
  string
> = {
  name: "auth.keepProviderKey",
  async run(scope, { sealed, replaces }) {
    const { run, tx } = scope;
    const found = await findSealed(tx);
    if (found !== null && found.id !== replaces) return found.sealed;
    if (found !== null) await tx.delete("authTicket", found.id);
    await tx.insert("authTicket", {
      id: run.app.newId("authTicket"),
      purpose,
      user: null,
      subject: null,
      digest: "",
      data: { sealed },
      tries: 0,
      createdAt: timeText(run.nowMs),
      expiresAt: timeOfMs(run.nowMs + farMs),
    });
    return sealed;
  },
};

type Reads = Pick<Parameters<Parameters<AuthDesk["store"]["read"]>[0]>[0], "list">;

async function findSealed(
  tx: Reads,
): Promise<{ readonly id: string; readonly sealed: string } | null> {
  const { rows } = await tx.list(
    {
      kind: "list",
      from: "authTicket",
      where: { kind: "field", field: "purpose", condition: { eq: purpose } },
      orderBy: [{ field: "id", descending: false }],
      limit: 1,
    },
    null,
  );
  const [row] = rows;
  if (row === undefined) return null;
  return { id: row["id"] as string, sealed: (row["data"] as { sealed: string }).sealed };
}

const opened = new WeakMap<AuthDesk["secrets"], Promise<ProviderKey>>();

/** The key, made if there is none. */
export function providerKey(desk: AuthDesk, requestId: string): Promise<ProviderKey> {
  const known = opened.get(desk.secrets);
  if (known !== undefined) return known;
  const opening = openKey(desk, requestId).catch((error: unknown) => {
    opened.delete(desk.secrets);
    throw error;
  });
  opened.set(desk.secrets, opening);
  return opening;
}

async function openKey(desk: AuthDesk, requestId: string): Promise<ProviderKey> {
  const found = await desk.store.read((tx) => findSealed(tx));
  const kept = found === null ? null : unsealed(desk, found.sealed);
  if (kept !== null) return keyOf(kept);
  // Also when the key file is another one than before: what it can't open serves nobody any more.
  const pair = await promisify(generateKeyPair)("rsa", { modulusLength: modulusBits });
  const text = pair.privateKey.export({ format: "der", type: "pkcs8" }).toString("base64");
  const input = { sealed: desk.secrets.seal(sealLabel, text), replaces: found?.id ?? null };
  const sealed = await desk.run(keepProviderKey, input, { requestId, nowMs: desk.clock.nowMs() });
  return keyOf(desk.secrets.unseal(sealLabel, sealed));
}

function unsealed(desk: AuthDesk, sealed: string): string | null {
  try {
    return desk.secrets.unseal(sealLabel, sealed);
  } catch (error) {
    if (error instanceof PlatformError && error.code === "TOKEN_INVALID") return null;
    throw error;
  }
}

function keyOf(pkcs8: string): ProviderKey {
  const privateKey = createPrivateKey({
    key: Buffer.from(pkcs8, "base64"),
    format: "der",
    type: "pkcs8",
  });
  const publicKey = createPublicKey(privateKey);
  const { kty = "", n = "", e = "" } = publicKey.export({ format: "jwk" });
  const kid = createHash("sha256").update(JSON.stringify({ e, kty, n })).digest("base64url");
  return { kid, privateKey, publicKey, jwk: { kty, n, e, kid, alg: "RS256", use: "sig" } };
}
