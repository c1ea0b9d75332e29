// The keys that sign id_tokens. RS256 is the one algorithm that every OpenID client must know (OpenID Connect Core
// 15.1), so they are RSA keys beside the server's own: made when first needed, sealed with the server's key file, kept in
// the database, so that all threads and all servers of one database use the same. States of a key: published; signing,
// once clients have had time to see it, until the next one does; published for the tokens that it signed; deleted.
// The operator may turn them at once (a key that somebody saw): keys from before sign nothing from then on, and are
// published for no longer than what they signed is good. Every use reads what the database says: a turn waits for nobody.
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
/** How long an id_token may be shown. */
export const idTokenSeconds = 600;
/** Keys from before a turn stay for the newest token that they signed, and a minute for clocks that differ. */
const turnedStaysMs = idTokenSeconds * 1_000 + 60_000;

/** Turns the keys: none that there is signs again. @returns until when they are published, RFC 3339. */
export const turnProviderKeys: AuthProcedure<null, { readonly publishedUntil: string }> = {
  name: "auth.turnProviderKeys",
  async run({ run, tx }) {
    for (const { id, sealed, turnedMs } of await findSealed(tx)) {
      const turned = { sealed, turnedAt: timeText(run.nowMs) };
      if (turnedMs === null) await tx.update("authTicket", id, { data: turned });
      else if (run.nowMs - turnedMs >= turnedStaysMs) await tx.delete("authTicket", id);
    }
    return { publishedUntil: timeOfMs(run.nowMs + turnedStaysMs) };
  },
};

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
  /** When it was turned away; null: it was not. */
  readonly turnedMs: number | null;
}

/** Oldest first; the newest keysMax, should there be more. */
async function findSealed(tx: Reads): Promise<readonly SealedKey[]> {
  const { rows } = await tx.list(
    {
      kind: "list",
      from: "authTicket",
      where: { kind: "field", field: "purpose", condition: { eq: purpose } },
      orderBy: [{ field: "id", descending: true }],
      limit: keysMax,
    },
    null,
  );
  return rows.toReversed().map((row) => {
    const { sealed, turnedAt } = row["data"] as { sealed: string; turnedAt?: string };
    return {
      id: row["id"] as string,
      sealed,
      madeMs: msOfTime(row["createdAt"] as string),
      turnedMs: turnedAt === undefined ? null : msOfTime(turnedAt),
    };
  });
}

/** What a thread holds: RSA keys are slow to read, and slower to make. */
interface Opened {
  /** By the row's id; null: sealed by another key file. */
  readonly known: Map<string, ProviderKey | null>;
  /** One that is being made: whoever comes meanwhile waits for it. */
  making: Promise<void> | null;
}

const opened = new WeakMap<AuthDesk["secrets"], Opened>();

interface HeldKey extends SealedKey {
  readonly key: ProviderKey;
}

interface Kept {
  readonly rows: readonly SealedKey[];
  readonly held: readonly HeldKey[];
}

/** The keys, made if there are none, or the newest is old or was turned away. */
export async function providerKeys(desk: AuthDesk, requestId: string): Promise<ProviderKeys> {
  const own = opened.get(desk.secrets) ?? { known: new Map(), making: null };
  opened.set(desk.secrets, own);
  let kept = await readKept(desk, own);
  if (needsNext(kept, desk.clock.nowMs())) {
    own.making ??= makeNext(desk, own, requestId).finally(() => {
      own.making = null;
    });
    await own.making;
    kept = await readKept(desk, own);
  }
  const nowMs = desk.clock.nowMs();
  const published = publishedAt(kept.held, nowMs);
  const fresh = published.filter(({ turnedMs }) => turnedMs === null);
  const signing = fresh.findLast(({ madeMs }) => nowMs - madeMs >= leadMs) ?? fresh[0];
  assert(signing !== undefined, "there is a key after one was kept");
  return { signing: signing.key, published: published.map(({ key }) => key) };
}

async function readKept(desk: AuthDesk, { known }: Opened): Promise<Kept> {
  const rows = await desk.store.read((tx) => findSealed(tx));
  const held = rows.flatMap((row) => {
    const key = keyOfRow(desk, row, known);
    return key === null ? [] : [{ ...row, key }];
  });
  return { rows, held };
}

function needsNext({ held }: Kept, nowMs: number): boolean {
  const newest = held.at(-1);
  if (newest === undefined || newest.turnedMs !== null) return true;
  return nowMs - newest.madeMs >= renewMs;
}

async function makeNext(desk: AuthDesk, own: Opened, requestId: string): Promise<void> {
  const pair = await promisify(generateKeyPair)("rsa", { modulusLength: modulusBits });
  const text = pair.privateKey.export({ format: "der", type: "pkcs8" }).toString("base64");
  // Read again: another thread may have been first.
  const { rows, held } = await readKept(desk, own);
  const nowMs = desk.clock.nowMs();
  if (!needsNext({ rows, held }, nowMs)) return;
  // When the key file is another one than before, what it can't open serves nobody any more.
  const kept = new Set(publishedAt(held, nowMs).map(({ id }) => id));
  const input = {
    sealed: desk.secrets.seal(sealLabel, text),
    newest: rows.at(-1)?.id ?? null,
    drops: rows.map(({ id }) => id).filter((id) => !kept.has(id)),
  };
  await desk.run(keepProviderKey, input, { requestId, nowMs });
}

/** Without those whose successor has signed for long, and those that were turned away longer ago than their tokens last. */
function publishedAt(held: readonly HeldKey[], nowMs: number): readonly HeldKey[] {
  return held.filter(({ turnedMs }, index) => {
    if (turnedMs !== null && nowMs - turnedMs >= turnedStaysMs) return false;
    const next = held[index + 1];
    return next === undefined || nowMs - (next.madeMs + leadMs) < staysMs;
  });
}

function keyOfRow(
  desk: AuthDesk,
  { id, sealed }: SealedKey,
  known: Map<string, ProviderKey | null>,
): ProviderKey | null {
  const before = known.get(id);
  if (before !== undefined) return before;
  const text = unsealed(desk, sealed);
  const key = text === null ? null : keyOf(text);
  known.set(id, key);
  return key;
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
