// Asks the server that holds the data folder, through its operator's door.
import type { Json } from "@keelson/sdk/spec";
import { DoorRefusal, type DataDoor } from "./data-door.ts";
import type { DoorFile } from "./door-file.ts";
import type { DoorMethod } from "./door-server.ts";

/**
 * Connects to the door that door.json names.
 * @returns null when nothing answers there, or not with this secret: the file was left behind.
 */
export async function connectDoor(file: DoorFile): Promise<DataDoor | null> {
  const door = doorOver(file);
  try {
    await door.tables();
    return door;
  } catch (error) {
    const isStale = !(error instanceof DoorRefusal) || error.code === "SECRET_WRONG";
    if (isStale) return null;
    throw error;
  }
}

function doorOver({ port, secret, url }: DoorFile): DataDoor {
  async function ask<T>(method: DoorMethod, ...args: readonly unknown[]): Promise<T> {
    const response = await fetch(`http://127.0.0.1:${port}/${method}`, {
      method: "POST",
      headers: { authorization: `Bearer ${secret}`, "content-type": "application/json" },
      body: JSON.stringify(args),
    });
    const body = (await response.json()) as Json;
    if (response.ok) return body as T;
    const { code, text, details } = body as { code: string; text: string; details: Json };
    throw new DoorRefusal(code, text, details);
  }
  return {
    place: `the server at ${url}`,
    isServed: true,
    tables: () => ask("tables"),
    write: (table, rows, upsert) => ask("write", table, rows, upsert),
    idsBy: (table, field, values) => ask("idsBy", table, field, values),
    read: (table, after) => ask("read", table, after),
    count: (table) => ask("count", table),
    call: (name, args, as) => ask("call", name, args, as),
    importUsers: (source, users) => ask("importUsers", source, users),
    exportUsers: (after) => ask("exportUsers", after),
    token: (user, role, ttlMs) => ask("token", user, role, ttlMs),
    serviceKey: (service, key) => ask("serviceKey", service, key),
    procedure: (name, input) => ask("procedure", name, input),
    backup: (file) => ask("backup", file),
    verify: () => ask("verify"),
    close: async () => {},
  };
}
