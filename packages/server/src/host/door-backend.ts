// One version of the app in a thread that does not write: it reads on connections of its own, and its writes
// go to the writer's thread.
import { join } from "node:path";
import type { MessagePort } from "node:worker_threads";
import { ThreadWriter } from "../gate/thread-writer.ts";
import { openCommitMark } from "../store/commit-mark.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import type { BuiltApp } from "./app-cache.ts";
import {
  databaseName,
  gatedBackend,
  type AppIsolates,
  type Backend,
  type BackendParts,
} from "./backend.ts";
import { openPausableWriter } from "./pausable-writer.ts";
import { openWriterChannel } from "./thread-channel.ts";

/** A version of the app behind a channel. */
export interface DoorBackend extends Backend {
  /** Another writer's thread takes over. */
  connect(port: MessagePort): void;
  /** Refuses writes that no writer has got, from now on: another version takes over. */
  retire(): void;
  /** Lets go of everything. */
  close(): void;
}

/** What it is wired with. */
export interface DoorBackendParts extends Omit<BackendParts, "migrate" | "openIsolates"> {
  /** Shared by the connections of all threads. */
  readonly mark: SharedArrayBuffer;
}

/** Wires a version. @param port to the writer's thread. @throws MIGRATION_REFUSED when the file is of another version. */
export function openDoorBackend(
  parts: DoorBackendParts,
  opened: { readonly app: BuiltApp; readonly isolates: AppIsolates; readonly port: MessagePort },
): DoorBackend {
  const { limits, nextTurn } = parts;
  const { app, isolates, port } = opened;
  const mark = openCommitMark(parts.mark);
  const store = openSqliteStore({
    path: join(parts.dataDir, databaseName),
    manifest: app.manifest,
    limits,
    clock: parts.clock,
    readOnly: true,
    mark,
    nextTurn,
  });
  const thread = new ThreadWriter({ limits, nextTurn });
  const channel = openWriterChannel({
    writer: thread,
    store,
    report: (error) => parts.report(error),
  });
  channel.connect(port);
  const writer = openPausableWriter(thread, limits.writeQueueMax);
  const { commits } = channel;
  const beside = { app, store, isolates, writer, commits, mark, work: null };
  const wired = gatedBackend(parts, { ...beside, groups: () => 0 });
  return {
    ...wired,
    connect: (port) => channel.connect(port),
    retire: () => thread.retire(),
    close() {
      channel.close();
      isolates.dispose();
      store.close();
    },
  };
}
