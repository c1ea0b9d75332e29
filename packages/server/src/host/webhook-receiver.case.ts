// For tests: a server that webhooks are sent to. It keeps what came and answers as it is told.
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What came. */
export interface ReceivedWebhook {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A status; a status with a body that never ends; "nothing": it takes the request and never answers. */
export type WebhookAnswer = number | "nothing" | { readonly endless: number };

/** A receiver. */
export interface WebhookReceiver {
  /** `127.0.0.1:54321`. */
  readonly host: string;
  readonly url: string;
  readonly received: readonly ReceivedWebhook[];
  /** What is answered from now on. */
  answer(how: WebhookAnswer | ((came: ReceivedWebhook) => WebhookAnswer)): void;
  /** Requests that wait for an answer. */
  waiting(): number;
  /** Resolves when so many have come in all. */
  came(count: number): Promise<void>;
  /** Answers those that wait. */
  release(status: number): void;
  close(): Promise<void>;
}

/** Opens one on a free port of this machine. */
export async function openWebhookReceiver(): Promise<WebhookReceiver> {
  const received: ReceivedWebhook[] = [];
  const open = new Set<ServerResponse>();
  let how: (came: ReceivedWebhook) => WebhookAnswer = () => 204;
  let wanted: { readonly count: number; readonly done: () => void }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { url: path = "", headers } = request;
      const came = { path, headers, body: Buffer.concat(chunks).toString() };
      received.push(came);
      const status = how(came);
      if (status === "nothing") open.add(response);
      else if (typeof status === "object") answerEndless(response, status.endless);
      else response.writeHead(status, { location: "/elsewhere" }).end();
      const due = wanted.filter(({ count }) => received.length >= count);
      wanted = wanted.filter((one) => !due.includes(one));
      for (const { done } of due) done();
    });
    response.on("close", () => open.delete(response));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    url: `http://${host}/in`,
    received,
    answer(next) {
      how = typeof next === "function" ? next : () => next;
    },
    waiting: () => open.size,
    came(count) {
      const { promise, resolve } = Promise.withResolvers<void>();
      if (received.length >= count) resolve();
      else wanted.push({ count, done: resolve });
      return promise;
    },
    release(status) {
      for (const response of open) response.writeHead(status).end();
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Writes until the other side ends the connection. */
function answerEndless(response: ServerResponse, status: number): void {
  const chunk = "x".repeat(16_384);
  const write = (): void => {
    if (response.destroyed) return;
    if (response.write(chunk)) setImmediate(write);
    else response.once("drain", write);
  };
  response.writeHead(status);
  write();
}
