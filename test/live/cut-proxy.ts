// Carries connections to a server and cuts them when told: also in the middle of what they carry.
import { createServer, connect, type AddressInfo, type Socket } from "node:net";

/** A proxy in front of a server on this machine. */
export interface CutProxy {
  readonly url: string;
  /** Connections so far. */
  readonly count: number;
  /** Ends connections at once, on both sides. @param part of them, by chance. Default: 1, all. */
  cut(part?: number): void;
  /** From now on, what the server says is not passed on, and connections stay open: as when a network is gone. */
  swallow(isSwallowed: boolean): void;
  close(): Promise<void>;
}

/** @param target the address of the server. */
export async function openCutProxy(target: string): Promise<CutProxy> {
  const { hostname, port } = new URL(target);
  const open = new Set<Socket>();
  let count = 0;
  let isSwallowed = false;
  const server = createServer((client) => {
    count++;
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.setNoDelay(true);
      // Whichever side ends, and however, takes the other along.
      socket.on("error", () => undefined);
      socket.on("close", () => {
        open.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on("data", (chunk) => upstream.write(chunk));
    upstream.on("data", (chunk) => {
      if (!isSwallowed) client.write(chunk);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const cut = (part = 1) => {
    for (const socket of open) if (Math.random() < part) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get count() {
      return count;
    },
    cut,
    swallow: (swallowed) => {
      isSwallowed = swallowed;
    },
    close: () =>
      new Promise((resolve) => {
        cut();
        server.close(() => resolve());
      }),
  };
}
