// What the system does with one address and several listeners. Finds out whether an address is free. Doors that share an address would be let in beside another server of
// the same user that shares it too; so it is first taken for itself, which only works when nobody has it.
import { createServer, type AddressInfo } from "node:net";
import { PlatformError } from "../base/platform-error.ts";

/** @param port 0 for any. @returns a port that was free a moment ago. @throws LISTEN_FAILED. */
export function findFreePort(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const details = { host, port, reason: cause.code ?? "unknown" };
      reject(new PlatformError("LISTEN_FAILED", details, { cause }));
    });
    server.listen({ host, port, exclusive: true }, () => {
      const { port: found } = server.address() as AddressInfo;
      server.close(() => resolve(found));
    });
  });
}

/**
 * Whether connections to an address are spread over all who listen there. macOS and Windows give them to one of
 * them, or refuse a second: a server there has one door.
 */
export function spreadsConnections(): boolean {
  return process.platform === "linux" || process.platform === "freebsd";
}
