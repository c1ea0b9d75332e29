// Messages of a live connection from their text: shape only, every key known. What is asked for, and whether
// it may be, is the gate's business.
import type { LiveClientMessage } from "@keelson/sdk/live-protocol";
import { parseJson } from "../base/json-parse.ts";
import type { Json } from "../base/json.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { GateOperation } from "../gate/gate-request.ts";
import type { WatchOperation } from "../gate/watcher.ts";
import { parseBatch, parseStep } from "./batch-parse.ts";

/** What a client says, read. Operations that are wrong are kept as their error: only they are refused. */
export type LiveHeard =
  | { readonly type: "token"; readonly token: string | null }
  | {
      readonly type: "ask";
      readonly id: number;
      readonly operation: GateOperation | PlatformError;
      readonly key: string | null;
      readonly mayBeRepeat: boolean;
    }
  | { readonly type: "subscribe"; readonly subs: readonly LiveHeardSubscribe[] }
  | { readonly type: "unsubscribe"; readonly ids: readonly number[] }
  | { readonly type: "ping" };

/** One subscription, read. */
export interface LiveHeardSubscribe {
  readonly id: number;
  readonly operation: WatchOperation | PlatformError;
  readonly hash: string | null;
  /** Of its text: what it is kept as. */
  readonly bytes: number;
}

type JsonObject = { readonly [key: string]: Json };
type MessageType = LiveClientMessage["type"];

const keysOf: Readonly<Record<MessageType, readonly string[]>> = {
  token: ["type", "token"],
  ask: ["type", "id", "ask", "key", "repeat"],
  subscribe: ["type", "subs"],
  unsubscribe: ["type", "ids"],
  ping: ["type"],
};
const subscribeKeys: readonly string[] = ["id", "watch", "hash"];

/**
 * Reads one message.
 * @param options.stepsMax limits.batchStepsMax. @param options.subsMax subscriptions of one message.
 * @throws JSON_*, REQUEST_INVALID when it is no message of the protocol: the connection is then closed.
 */
export function parseLiveMessage(
  text: string,
  options: { readonly depthMax: number; readonly stepsMax: number; readonly subsMax: number },
): LiveHeard {
  const json = parseJson(text, options.depthMax);
  if (!isObject(json)) throw noMessage("a message is an object");
  const type = json["type"];
  if (typeof type !== "string" || !Object.hasOwn(keysOf, type)) throw noMessage("unknown type");
  assertKeys(json, keysOf[type as MessageType]);
  switch (type as MessageType) {
    case "token":
      return { type: "token", token: textOrNull(json["token"] ?? null) };
    case "ask":
      return {
        type: "ask",
        id: idOf(json["id"]),
        operation: kept(() => operationOf(json["ask"], options.stepsMax)),
        key: textOrNull(json["key"] ?? null),
        mayBeRepeat: json["repeat"] === true,
      };
    case "subscribe":
      return {
        type: "subscribe",
        subs: listOf(json["subs"], options.subsMax).map((sub) => subscribeOf(sub)),
      };
    case "unsubscribe":
      return { type: "unsubscribe", ids: listOf(json["ids"], options.subsMax).map(idOf) };
    case "ping":
      return { type: "ping" };
    default:
      return type as never;
  }
}

function subscribeOf(json: Json): LiveHeardSubscribe {
  if (!isObject(json)) throw noMessage("a subscription is an object");
  assertKeys(json, subscribeKeys);
  return {
    id: idOf(json["id"]),
    hash: textOrNull(json["hash"] ?? null),
    bytes: Buffer.byteLength(JSON.stringify(json)),
    operation: kept(() => {
      const operation = parseStep(json["watch"] ?? null, 0);
      if (operation.kind === "call" || operation.kind === "list" || operation.kind === "get") {
        return operation;
      }
      throw new PlatformError("REQUEST_INVALID", { problem: "only reads can be watched" });
    }),
  };
}

function operationOf(json: Json | undefined, stepsMax: number): GateOperation {
  if (isObject(json) && Object.hasOwn(json, "steps")) return parseBatch(json, stepsMax);
  return parseStep(json ?? null, 0);
}

/** A mistake in one operation is its answer, not the end of the connection. */
function kept<T>(read: () => T): T | PlatformError {
  try {
    return read();
  } catch (error) {
    if (error instanceof PlatformError) return error;
    throw error;
  }
}

function idOf(json: Json | undefined): number {
  if (typeof json === "number" && Number.isSafeInteger(json) && json > 0) return json;
  throw noMessage("an id is a whole number from 1");
}

function textOrNull(json: Json): string | null {
  if (json === null || typeof json === "string") return json;
  throw noMessage("token, key and hash are texts");
}

function listOf(json: Json | undefined, max: number): readonly Json[] {
  if (Array.isArray(json) && json.length <= max) return json as readonly Json[];
  throw noMessage("subs and ids are lists, no longer than all subscriptions");
}

function assertKeys(json: JsonObject, known: readonly string[]): void {
  for (const key of Object.keys(json)) {
    if (!known.includes(key)) throw noMessage("unknown key");
  }
}

function isObject(json: Json | undefined): json is JsonObject {
  return json !== null && typeof json === "object" && !Array.isArray(json);
}

function noMessage(problem: string): PlatformError {
  return new PlatformError("REQUEST_INVALID", { problem });
}
