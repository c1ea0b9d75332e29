// Starts the real command, `keelson start`, as a process of its own, for tests that end processes.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const binary = fileURLToPath(new URL("../../packages/cli/bin/keelson.mjs", import.meta.url));

/** How it is started. */
export interface RealServerOptions {
  /** Holds keelson/app.ts. */
  readonly appDir: string;
  readonly dataDir: string;
  /** Default: any free one. */
  readonly port?: number;
  /** Flags of `keelson start` beside these. Default: none. */
  readonly flags?: readonly string[];
  /** What is started in place of the command, with the same arguments: a program, and its own first. Default: `keelson start`. */
  readonly program?: readonly string[];
  /** Flags of Node, before the command. Default: none. */
  readonly nodeFlags?: readonly string[];
}

/** A server in a process of its own. */
export interface RealServer {
  readonly pid: number;
  /** Its address, once it listens. @throws with what it wrote when it ends before. */
  readonly url: Promise<string>;
  /** Sends a signal and waits for the end. @returns the exit status, or null when a signal ended it. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** Spawns the server and does not wait for it. */
export function spawnServer(options: RealServerOptions): RealServer {
  const { appDir, dataDir, port = 0, flags = [], nodeFlags = [] } = options;
  const { program = [binary, "start"] } = options;
  const args = [...nodeFlags, ...program, appDir, `--data=${dataDir}`, `--port=${port}`];
  const child = spawn(process.execPath, [...args, "--log=errors", ...flags], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "exit") as Promise<[number | null, string | null]>;
  const url = listening(child, ended);
  // Somebody who kills it before it listens does not wait for the address.
  url.catch(() => {});
  return {
    pid: child.pid ?? -1,
    url,
    async end(signal) {
      child.kill(signal);
      const [status] = await ended;
      return status;
    },
  };
}

function listening(child: ChildProcess, ended: Promise<unknown>): Promise<string> {
  const said: string[] = [];
  return new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on("line", (line) => {
        if (said.length < 100) said.push(line);
        const found = /"listening".*"url":"([^"]+)"/.exec(line);
        if (found !== null) resolve(found[1] ?? "");
      });
    }
    void ended.then(() =>
      reject(new Error(`the server ended before it listened\n${said.join("\n")}`)),
    );
  });
}
