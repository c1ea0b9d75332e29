// What the command line needs of an app that is open, be it served or not: the operator's way in, and what
// can be said of the data as a whole. Made for the version that is current; a reload needs a new one.
import { join } from "node:path";
import type { Json } from "../base/json.ts";
import type { Limits } from "../base/limits.ts";
import { anonymous } from "../gate/identity.ts";
import type { Operator } from "../gate/operator.ts";
import { startWork } from "../gate/work.ts";
import { verifyInvariants, type InvariantReport } from "../gate/verify-invariants.ts";
import type { Manifest } from "../model/manifest.ts";
import { verifySqlite } from "../store/sqlite/sqlite-verify.ts";
import type { Store } from "../store/store.ts";
import { databaseName, type Backend } from "./backend.ts";
import { lockDataFolder, type DataLock } from "./data-lock.ts";
import { realClock } from "./real-clock.ts";
import { realDisk } from "./real-disk.ts";
import { openRealRandom } from "./real-random.ts";

/** The operator's way to one version of an app. */
export interface OperatorDesk extends Operator {
  readonly manifest: Manifest;
  readonly store: Store;
  /** 256 random bits, base64url. */
  drawSecret(): string;
  /** Runs a transaction of the platform's own. @throws its refusals. */
  procedure(name: string, input: Json, cause: string): Promise<Json>;
  /** Asks every invariant of the app. */
  invariants(): Promise<readonly InvariantReport[]>;
  /** Reads the whole database, log and references included. @throws STORE_FAILED when it is damaged. */
  checkIntegrity(): void;
}

/** Opens the desk of one version. @param options.dataDir where its data is. */
export function openOperatorDesk(
  backend: Backend,
  options: { readonly dataDir: string; readonly limits: Limits },
): OperatorDesk {
  const { manifest, store, isolates } = backend;
  return {
    manifest,
    store,
    execute: (operation, order) => backend.operator().execute(operation, order),
    drawSecret: () => Buffer.from(openRealRandom().bytes(32)).toString("base64url"),
    procedure: async (name, input, cause) => {
      const { json } = await backend.writer.submit(
        {
          operation: { kind: "procedure", name, input },
          caller: anonymous,
          authority: "system",
          cause,
          requestId: Buffer.from(openRealRandom().bytes(15)).toString("base64url"),
          atMs: realClock.nowMs(),
          idempotency: null,
        },
        startWork(),
      );
      return JSON.parse(json) as Json;
    },
    invariants: async () =>
      verifyInvariants({
        manifest,
        store,
        isolates,
        clock: realClock,
        random: openRealRandom(),
        limits: options.limits,
        // The operator is told everything: it is their app, and their machine.
        development: true,
      }),
    checkIntegrity: () => verifySqlite(join(options.dataDir, databaseName)),
  };
}

/** Takes a data folder for a command that changes files in it. @throws DATA_LOCKED. */
export function lockData(dataDir: string): DataLock {
  return lockDataFolder(realDisk, dataDir);
}
