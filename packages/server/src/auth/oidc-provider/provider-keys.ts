// The keys that sign id_tokens. RS256 is the one algorithm that every OpenID client must know (OpenID Connect Core
// 15.1), so they are RSA keys beside the server's own: made when first needed, sealed with the server's key file, kept in
// the database, so that all threads and all servers of one database use the same. States of a key: published; signing,
// once clients have had time to see it, until the next one does; published for the tokens that it signed; deleted.
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
import { assert } from "../../base/assert.ts";
import { PlatformError } from "../../base/platform-error.ts";
import { timeText } from "../../gate/gate-app.ts";
import type { AuthDesk, AuthProcedure } from "../auth-desk.ts";
import { msOfTime, timeOfMs } from "../../model/field-time.ts";

/** An RSA key. */
export interface ProviderKey {
  /** RFC 7638. */
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** As it is published. */
  readonly jwk: JWK;
}

/** The keys at a moment. */
export interface ProviderKeys {
  readonly signing: ProviderKey;
  /** Oldest first, with the one that signs and the one that will. */
  readonly published: readonly ProviderKey[];
}

const purpose = "oidcKey";
const sealLabel = "oidc key";
const modulusBits = 2_048;
const keysMax = 10;
const dayMs = 86_400_000;
/** Tickets end; this one after more years than anybody waits. */
const farMs = 100 * 365 * dayMs;
/** A new key is made when the newest is this old. */
const renewMs = 90 * dayMs;
/** A new key is published for this long before it signs: clients keep what they read of us. */
const leadMs = dayMs;
/** One that signs no more stays: its tokens end within minutes, but clients show old ones as a hint of who is meant. */
const staysMs = 30 * dayMs;
/** How long what the database says is believed: less than the lead by far, so that all threads sign alike. */
const believedMs = 600_000;

/** Keeps a new key, if the newest is still the one that its maker saw, and drops those that are over. */
export const keepProviderKey: AuthProcedure<
  {
    readonly sealed: string;
    readonly newest: string | null;
    readonly drops: readonly string[];
  },
  null
> = {
  name: "auth.keepProviderKey",
  async run({ run, tx }, { sealed, newest, drops }) {
    const rows = await findSealed(tx);
    if ((rows.at(-1)?.id ?? null) !== newest) return null;
    for (const { id } of rows) if (drops.includes(id)) await tx.delete("authTicket", id);
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
    return null;
  },
};

type Reads = Pick<Parameters<Parameters<AuthDesk["store"]["read"]>[0]>[0], "list">;

interface SealedKey {
  readonly id: string;
  readonly sealed: string;
  readonly madeMs: number;
}

/** Oldest first. */
async function findSealed(tx: Reads): Promise<readonly SealedKey[]> {
  const { rows } = await tx.list(
    {
      kind: "list",
      from: "authTicket",
      where: { kind: "field", field: "purpose", condition: { eq: purpose } },
      orderBy: [{ field: "id", descending: false }],
      limit: keysMax,
    },
    null,
  );
  return rows.map((row) => ({
    id: row["id"] as string,
    sealed: (row["data"] as { sealed: string }).sealed,
    madeMs: msOfTime(row["createdAt"] as string),
  }));
}

interface Opened {
  readonly atMs: number;
  readonly keys: Promise<ProviderKeys>;
  /** By the row's id: RSA keys are slow to read. */
  readonly known: Map<string, ProviderKey | null>;
}

const opened = new WeakMap<AuthDesk["secrets"], Opened>();

/** The keys, made if there are none, or the newest is old. */
export function providerKeys(desk: AuthDesk, requestId: string): Promise<ProviderKeys> {
  const nowMs = desk.clock.nowMs();
  const before = opened.get(desk.secrets);
  if (before !== undefined && nowMs - before.atMs < believedMs) return before.keys;
  const known = before?.known ?? new Map<string, ProviderKey | null>();
  const keys = openKeys(desk, requestId, known).catch((error: unknown) => {
    opened.delete(desk.secrets);
    throw error;
  });
  opened.set(desk.secrets, { atMs: nowMs, keys, known });
  return keys;
}

interface HeldKey extends SealedKey {
  readonly key: ProviderKey;
}

async function openKeys(
  desk: AuthDesk,
  requestId: string,
  known: Map<string, ProviderKey | null>,
): Promise<ProviderKeys> {
  const nowMs = desk.clock.nowMs();
  const read = async () => {
    const rows = await desk.store.read((tx) => findSealed(tx));
    return { rows, held: rows.flatMap((row) => heldOf(desk, row, known)) };
  };
  let { rows, held } = await read();
  const newest = held.at(-1);
  if (newest === undefined || nowMs - newest.madeMs >= renewMs) {
    const pair = await promisify(generateKeyPair)("rsa", { modulusLength: modulusBits });
    const text = pair.privateKey.export({ format: "der", type: "pkcs8" }).toString("base64");
    // When the key file is another one than before, what it can't open serves nobody any more.
    const kept = new Set(publishedAt(held, nowMs).map(({ id }) => id));
    const input = {
      sealed: desk.secrets.seal(sealLabel, text),
      newest: rows.at(-1)?.id ?? null,
      drops: rows.map(({ id }) => id).filter((id) => !kept.has(id)),
    };
    await desk.run(keepProviderKey, input, { requestId, nowMs });
    ({ rows, held } = await read());
  }
  const published = publishedAt(held, nowMs);
  const signing = published.findLast(({ madeMs }) => nowMs - madeMs >= leadMs) ?? published[0];
  assert(signing !== undefined, "there is a key after one was kept");
  return { signing: signing.key, published: published.map(({ key }) => key) };
}

/** Without those whose successor has signed for long. */
function publishedAt(held: readonly HeldKey[], nowMs: number): readonly HeldKey[] {
  return held.filter((_, index) => {
    const next = held[index + 1];
    return next === undefined || nowMs - (next.madeMs + leadMs) < staysMs;
  });
}

function heldOf(
  desk: AuthDesk,
  row: SealedKey,
  known: Map<string, ProviderKey | null>,
): readonly HeldKey[] {
  let key = known.get(row.id);
  if (key === undefined) {
    const text = unsealed(desk, row.sealed);
    key = text === null ? null : keyOf(text);
    known.set(row.id, key);
  }
  return key === null ? [] : [{ ...row, key }];
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
