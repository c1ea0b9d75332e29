// The server that is killed and started again, as its clients see it: there is an address, or there will be.
import { spawnServer, type RealServer, type RealServerOptions } from "../server/real-server.ts";

/** The one server at a time. */
export class KillWorld {
  readonly #options: RealServerOptions;
  #server: RealServer | null = null;
  #up = Promise.withResolvers<string>();
  /** How often it was killed. */
  kills = 0;

  constructor(options: RealServerOptions) {
    this.#options = options;
  }

  /** The address, once a server listens. */
  url(): Promise<string> {
    return this.#up.promise;
  }

  /** Starts one and waits for its address. @throws when it ends instead: the store did not open. */
  async start(): Promise<string> {
    const server = this.spawn();
    const url = await server.url;
    this.#up.resolve(url);
    return url;
  }

  /** Starts one and does not wait. */
  spawn(): RealServer {
    this.#server = spawnServer(this.#options);
    return this.#server;
  }

  /** Ends it now, in the middle of whatever it does. @throws when it had ended by itself. */
  async kill(): Promise<void> {
    this.kills += 1;
    const status = await this.#end("SIGKILL");
    if (status !== null) throw new Error(`the server ended by itself with ${status}`);
  }

  /** Asks it to end. @returns its exit status. */
  stop(): Promise<number | null> {
    return this.#end("SIGTERM");
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    const server = this.#server;
    if (server === null) return null;
    // First the promise: whoever loses the connection then waits for the next server.
    if (await isSettled(this.#up.promise)) this.#up = Promise.withResolvers();
    this.#server = null;
    return server.end(signal);
  }
}

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol("pending");
  return (await Promise.race([promise, Promise.resolve(pending)])) !== pending;
}
