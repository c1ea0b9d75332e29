// Hashes and checks passwords: argon2id (RFC 9106) on node's thread pool, never on the thread that serves. A few at a
// time and a bounded queue: a crowd that signs in waits for itself, and nobody else waits for it. Hashes of other
// systems are checked by `verifiers` and replaced at the first sign-in.
//
// A check that fails costs the same whether there is a hash or not: without one, a decoy is hashed. Where hashes of other
// systems are about, it takes the time of the slowest kind (password-pace.ts).
import { timingSafeEqual } from "node:crypto";
import { hashRaw } from "@node-rs/argon2";
import type { Clock } from "../base/clock.ts";
import type { Limits } from "../base/limits.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { RandomSource } from "../base/random.ts";
import { PasswordPace, type HashKind } from "./password-pace.ts";

/** What a check found. */
export interface PasswordCheck {
  readonly isRight: boolean;
  /** Right, but hashed otherwise than today: hash it again. */
  readonly isOld: boolean;
}

/** Hashes and checks. */
export interface PasswordHasher {
  /** @returns PHC text: `$argon2id$v=19$m=12288,t=3,p=1$salt$hash`. @throws OVERLOADED when too many wait. */
  hash(password: string): Promise<string>;
  /** @param hash null: there is no such account; takes as long all the same. @throws OVERLOADED. */
  check(password: string, hash: string | null): Promise<PasswordCheck>;
}

/** Checks hashes of another system. */
export interface PasswordVerifier {
  /** Whether it knows this format. */
  knows(hash: string): boolean;
  isRight(password: string, hash: string): Promise<boolean>;
}

interface Cost {
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
}

const saltBytes = 16;
const hashBytes = 32;
const phcPattern =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{16,172})$/;

/** Opens the hasher of one thread. @param parts.verifiers for hashes that were imported. */
export function openPasswordHasher(parts: {
  readonly clock: Clock;
  readonly limits: Limits;
  readonly random: RandomSource;
  readonly verifiers?: readonly PasswordVerifier[];
}): PasswordHasher {
  const { limits, random, verifiers = [] } = parts;
  const pace = new PasswordPace(parts.clock);
  const cost: Cost = {
    memory: limits.passwordMemoryKib,
    passes: limits.passwordPasses,
    parallelism: 1,
  };
  const turns = new Turns(limits.passwordHashesMax, limits.passwordQueueMax);
  const decoy = phcOf(cost, random.bytes(saltBytes), random.bytes(hashBytes));

  async function isRight(password: string, hash: string): Promise<boolean> {
    const own = phcPattern.exec(hash);
    if (own === null) {
      const verifier = verifiers.find((each) => each.knows(hash));
      return verifier === undefined ? false : verifier.isRight(password, hash);
    }
    const [, memory, passes, parallelism, salt = "", expected = ""] = own;
    const wanted = Buffer.from(expected, "base64");
    const found = await derive(password, {
      cost: { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) },
      salt: Buffer.from(salt, "base64"),
      bytes: wanted.length,
    });
    return timingSafeEqual(found, wanted);
  }

  return {
    hash: (password) =>
      turns.take(async () => {
        const salt = random.bytes(saltBytes);
        return phcOf(cost, salt, await derive(password, { cost, salt, bytes: hashBytes }));
      }),
    async check(password, hash) {
      const kind: HashKind = hash === null || hash.startsWith(headOf(cost)) ? "own" : "foreign";
      const { right, evenAtUs } = await turns.take(async () => {
        const startedUs = pace.startUs();
        const right = (await isRight(password, hash ?? decoy)) && hash !== null;
        return { right, evenAtUs: pace.ended(kind, startedUs) };
      });
      if (right) return { isRight: true, isOld: hash?.startsWith(headOf(cost)) !== true };
      if (evenAtUs !== null) await pace.until(evenAtUs);
      return { isRight: false, isOld: false };
    },
  };
}

function headOf({ memory, passes, parallelism }: Cost): string {
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$`;
}

function phcOf(cost: Cost, salt: Uint8Array, hash: Uint8Array): string {
  return `${headOf(cost)}${unpadded(salt)}$${unpadded(hash)}`;
}

function unpadded(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64").replaceAll("=", "");
}

async function derive(
  password: string,
  { cost, salt, bytes }: { readonly cost: Cost; readonly salt: Uint8Array; readonly bytes: number },
): Promise<Buffer> {
  const { memory, passes, parallelism } = cost;
  // The same characters typed on another keyboard may be other code points (NIST SP 800-63B, 5.1.1.2).
  return hashRaw(password.normalize("NFKC"), {
    memoryCost: memory,
    timeCost: passes,
    parallelism,
    outputLen: bytes,
    salt,
  });
}

/** Lets a few work at a time, in the order they came. */
class Turns {
  readonly #most: number;
  readonly #queueMax: number;
  readonly #waiting: (() => void)[] = [];
  #busy = 0;

  constructor(most: number, queueMax: number) {
    this.#most = most;
    this.#queueMax = queueMax;
  }

  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#busy < this.#most) this.#busy += 1;
    else {
      if (this.#waiting.length >= this.#queueMax) {
        throw new PlatformError("OVERLOADED", { limit: "passwordQueueMax" });
      }
      // Whoever ends hands its place on, so it stays counted.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#busy -= 1;
      else next();
    }
  }
}
