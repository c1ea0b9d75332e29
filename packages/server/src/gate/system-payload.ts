// Payloads of system calls come out of an isolate, where user code runs: what they hold is checked like
// input of any other stranger.
import type { Json } from "../base/json.ts";
import { parseJson } from "../base/json-parse.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { Run } from "./gate-app.ts";

/** A payload as a caller of the bridge sent it. */
export type Payload = { readonly [key: string]: Json };

/** How much deeper a payload is nested than the value that it carries. */
const payloadDepth = 4;

/** Parses a payload. @throws SYSTEM_CALL_DENIED when it is no object; what parseJson throws. */
export function payloadObject(run: Run, payloadJson: string): Payload {
  const payload = parseJson(payloadJson, run.app.limits.jsonDepthMax + payloadDepth);
  if (typeof payload === "object" && payload !== null && !Array.isArray(payload)) {
    return payload as Payload;
  }
  throw new PlatformError("SYSTEM_CALL_DENIED", { problem: "a payload is an object" });
}

/** A text of a payload. @throws SYSTEM_CALL_DENIED when it is none. */
export function payloadText(payload: Payload, key: string): string {
  const value = payload[key];
  if (typeof value === "string") return value;
  throw new PlatformError("SYSTEM_CALL_DENIED", { problem: `${key} is a text` });
}
