// The server that clients ask: a process that is killed, restarted and stopped, always at the same address.
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { spawnServer, type RealServer } from "../server/real-server.ts";

/** What it is started with. */
export interface HistoryServerParts {
  readonly appDir: string;
  readonly dataDir: string;
  readonly threads: number;
  /** Makes another version of the app, which the server then takes up; null: it is `keelson start`, which does not. */
  readonly change: (() => void) | null;
  /** A fault to plant, or null. */
  readonly plant: string | null;
}

const ownProgram = join(import.meta.dirname, "serve-history.ts");

/** The one server at a time. */
export class HistoryServer {
  readonly #parts: HistoryServerParts;
  #server: RealServer | null = null;
  #port = 0;

  constructor(parts: HistoryServerParts) {
    this.#parts = parts;
  }

  /** @returns its address. */
  async start(): Promise<string> {
    const { plant, threads, change, appDir, dataDir } = this.#parts;
    // Those of the kills are planted by their own program, which this one's loads.
    const names = ["KEELSON_HISTORY_PLANT", "KEELSON_KILL_PLANT"];
    for (const name of plant === null ? [] : names) process.env[name] = plant ?? "";
    this.#server = spawnServer({
      appDir,
      dataDir,
      port: this.#port,
      ...(change === null ? {} : { program: [ownProgram] }),
      flags: [`--threads=${threads}`],
      nodeFlags: plant === null ? [] : [`--import=${new URL("plant.ts", import.meta.url).href}`],
    });
    for (const name of names) delete process.env[name];
    const url = await this.#server.url;
    this.#port = Number(new URL(url).port);
    return url;
  }

  /** Ends it and starts it again. */
  async restart(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    await this.#server?.end(signal);
    await this.start();
  }

  /** Lets it take up another version, and does not wait. */
  reload(): void {
    this.#parts.change?.();
    process.kill(this.#server?.pid ?? -1, "SIGUSR2");
  }

  /** It does nothing for a while. */
  async pause(ms: number): Promise<void> {
    const pid = this.#server?.pid ?? -1;
    process.kill(pid, "SIGSTOP");
    await wait(ms);
    process.kill(pid, "SIGCONT");
  }

  async stop(): Promise<void> {
    await this.#server?.end("SIGTERM");
  }
}
