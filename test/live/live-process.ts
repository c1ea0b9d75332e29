// A live server in a process of its own, to be ended in any way and started again on the same data and port.
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { ServerOptions } from "@keelson/server";
import type { LiveServerReady } from "./serve-live.ts";

/** A server. */
export interface LiveProcess extends LiveServerReady {
  readonly pid: number;
  /** After a garbage collection of the first thread: memory of all threads, and what that thread's heap holds. */
  memory(): Promise<{
    readonly rssBytes: number;
    /** Without mapped files. */
    readonly ownBytes: number;
    readonly heapBytes: number;
  }>;
  /** Open files and sockets. Linux. */
  handles(): number;
  /** A number of /metrics. */
  metric(name: string): Promise<number>;
  /** Ends it with a signal, at once. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Ends it in an orderly way. */
  close(): Promise<void>;
}

/** Starts it and waits until it answers. @param options.port 0: any. */
export async function startLiveProcess(options: {
  readonly dataDir: string;
  readonly threads: number;
  readonly port?: number;
  readonly users?: number;
  readonly limits?: NonNullable<ServerOptions["limits"]>;
}): Promise<LiveProcess> {
  const { dataDir, threads, port = 0, users = 0, limits = {} } = options;
  const child = fork(
    join(import.meta.dirname, "serve-live.ts"),
    [dataDir, String(threads), String(port), String(users), JSON.stringify(limits)],
    { execArgv: ["--expose-gc"] },
  );
  const ready = await answerOf<LiveServerReady>(child);
  const ended = once(child, "exit");
  const pid = child.pid ?? -1;
  return {
    ...ready,
    pid,
    memory() {
      child.send("memory");
      return answerOf(child);
    },
    handles: () => readdirSync(`/proc/${pid}/fd`).length,
    async metric(name) {
      const response = await fetch(`${ready.url}/metrics`, {
        headers: { authorization: "Bearer m" },
      });
      const text = await response.text();
      const found = new RegExp(`^${name} (\\S+)$`, "mv").exec(text);
      if (found === null) throw new Error(`no ${name} in\n${text}`);
      return Number(found[1]);
    },
    async kill(signal) {
      child.kill(signal);
      await ended;
    },
    async close() {
      child.disconnect();
      await ended;
    },
  };
}

function answerOf<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const gone = (status: number | null) =>
      reject(new Error(`the server ended with ${status} before it answered`));
    child.once("exit", gone);
    child.once("message", (message) => {
      child.off("exit", gone);
      resolve(message as T);
    });
  });
}
