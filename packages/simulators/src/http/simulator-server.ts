// The HTTP side of a simulator: listens on this machine only, reads a request whole, lets faults happen, sends what
// the service answers. It knows nothing of the service.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { FaultPlan } from "./fault-plan.ts";
import { faultRequest, planFault } from "./fault-request.ts";

/** A request, read. */
export interface SimulatorRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in small letters. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** An answer. */
export interface SimulatorAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What a service brings. */
export interface SimulatedService {
  /** Whether faults of the API may hit it; pages for people are spared. */
  isApi(request: SimulatorRequest): boolean;
  answer(request: SimulatorRequest): SimulatorAnswer | Promise<SimulatorAnswer>;
  /** What the service answers when it has too many requests, or falls over. */
  refusal(kind: "rateLimit" | "serverError"): SimulatorAnswer;
}

/** A simulator that listens. */
export interface SimulatorServer {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

const bodyBytesMax = 1_048_576;

/** Starts a service. @param port 0 for any. */
export async function serveSimulator(
  service: SimulatedService,
  faults: FaultPlan,
  port = 0,
): Promise<SimulatorServer> {
  const server = createServer((request, response) => {
    void handle(service, faults, request, response).catch((error: unknown) => {
      console.error(error);
      response.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${bound}`,
    port: bound,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/**
 * Starts a service where it was before, when that port is free: people may have its pages open.
 * @param at.port asked for, and taken or not at all. @param at.before its address in an earlier process.
 */
export async function serveAgain(
  service: SimulatedService,
  faults: FaultPlan,
  { port, before }: { readonly port: number | undefined; readonly before: string | undefined },
): Promise<SimulatorServer> {
  if (port !== undefined || before === undefined) return serveSimulator(service, faults, port);
  try {
    return await serveSimulator(service, faults, Number(new URL(before).port));
  } catch {
    return serveSimulator(service, faults);
  }
}

async function handle(
  service: SimulatedService,
  faults: FaultPlan,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const request = await read(incoming);
  if (request === null) {
    send(response, { status: 413, body: "too large" });
    return;
  }
  const name = `${request.method} ${request.path}`;
  if (name === faultRequest) {
    send(response, planFault(faults, request));
    return;
  }
  const fault = service.isApi(request) ? faults.takeApi(name) : null;
  const kind = fault?.kind;
  switch (kind) {
    case undefined:
      send(response, await service.answer(request));
      return;
    case "rateLimit":
    case "serverError":
      send(response, service.refusal(kind));
      return;
    case "timeoutBefore":
      // The connection breaks and nothing happened.
      response.destroy();
      return;
    case "timeoutAfterSuccess":
      // The connection breaks and everything happened.
      await service.answer(request);
      response.destroy();
      return;
    case "delay": {
      const answer = await service.answer(request);
      setTimeout(() => send(response, answer), fault?.ms ?? 0);
      return;
    }
    default:
      kind satisfies never;
  }
}

async function read(incoming: IncomingMessage): Promise<SimulatorRequest | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > bodyBytesMax) return null;
    chunks.push(chunk);
  }
  const url = new URL(incoming.url ?? "/", "http://127.0.0.1");
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return {
    method: incoming.method ?? "GET",
    path: url.pathname,
    query: url.searchParams,
    headers,
    body: Buffer.concat(chunks).toString(),
  };
}

function send(response: ServerResponse, { status, headers, body }: SimulatorAnswer): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(body);
}
