// The operator's door of a running server: the methods of a DataDoor over HTTP on the loopback address, for
// other commands of the same user on the same machine. Every request needs the secret of door.json; browsers
// can't send it, and what names another host (DNS rebinding) is refused before.
import { randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Json } from "@keelson/sdk/spec";
import type { DataDoor } from "./data-door.ts";
import { removeDoorFile, writeDoorFile } from "./door-file.ts";

// For the reason that the server's listener has: an `import` of it loads Node's client of `fetch` too.
const { createServer } = process.getBuiltinModule("node:http");
const bodyBytesMax = 67_108_864;
/** On a full disk: how often it is tried to write where the door is. */
const writeAgainMs = 1_000;

/** Methods that go over the wire. */
export const doorMethods = [
  "tables",
  "write",
  "idsBy",
  "read",
  "count",
  "call",
  "importUsers",
  "exportUsers",
  "token",
  "serviceKey",
  "procedure",
  "backup",
  "verify",
] as const;

/** A method's name. */
export type DoorMethod = (typeof doorMethods)[number];

/** An open door. */
export interface DoorServer {
  close(): Promise<void>;
}

/**
 * Opens the door and writes door.json; on a full disk, as soon as there is room.
 * @param door answers; asked anew for every request, so that it may change when the app is reloaded.
 * @param url where the app itself is served.
 */
export async function openDoorServer(options: {
  readonly dataDir: string;
  readonly url: string;
  readonly door: () => DataDoor | Promise<DataDoor>;
}): Promise<DoorServer> {
  const { dataDir, url, door } = options;
  const secret = randomBytes(32).toString("base64url");
  const server = createServer((request, response) => {
    answer(request, response, secret, door).catch((error: unknown) => {
      send(response, 500, refusal(error));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  // The door alone never keeps the process alive.
  server.unref();
  const { port } = server.address() as AddressInfo;
  const file = { port, secret, pid: process.pid, url };
  let again: NodeJS.Timeout | undefined;
  const write = (): void => {
    if (!writeDoorFile(dataDir, file)) again = setTimeout(write, writeAgainMs).unref();
  };
  write();
  return {
    close: () =>
      new Promise((resolve) => {
        clearTimeout(again);
        removeDoorFile(dataDir, secret);
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  secret: string,
  door: () => DataDoor | Promise<DataDoor>,
): Promise<void> {
  if (!isAllowed(request, secret)) {
    send(response, 403, {
      code: "SECRET_WRONG",
      text: "This door is for the server's operator.",
      details: {},
    });
    return;
  }
  const method = doorMethods.find((name) => request.url === `/${name}`);
  if (method === undefined || request.method !== "POST") {
    send(response, 404, { code: "NOT_FOUND", text: "There is no such method.", details: {} });
    return;
  }
  const args = JSON.parse(await bodyOf(request)) as readonly Json[];
  try {
    send(response, 200, ((await call(await door(), method, args)) ?? null) as Json);
  } catch (error) {
    send(response, 422, refusal(error));
  }
}

function isAllowed(request: IncomingMessage, secret: string): boolean {
  const given = Buffer.from(request.headers.authorization ?? "");
  const wanted = Buffer.from(`Bearer ${secret}`);
  if (!(request.headers.host ?? "").startsWith("127.0.0.1:")) return false;
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

function call(door: DataDoor, method: DoorMethod, args: readonly Json[]): Promise<unknown> {
  const run = door[method] as (...args: readonly Json[]) => Promise<unknown>;
  return run.apply(door, [...args]);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bodyBytesMax) throw new Error("the request is too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function refusal(error: unknown): Json {
  const { code, message, details } = error as { code?: unknown; message?: unknown; details?: Json };
  return {
    code: typeof code === "string" ? code : "INTERNAL",
    text: String(message),
    details: details ?? {},
  };
}

function send(response: ServerResponse, status: number, value: Json): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
}
