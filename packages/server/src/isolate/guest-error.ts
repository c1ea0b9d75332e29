// What a guest tells of a failed call, made into the error that its caller gets. The app's own file and
// line are in `details.development` while developing, and always in `cause`, which stays in the process.
import type { Json } from "../base/json.ts";
import { PlatformError, type ErrorDetails } from "../base/platform-error.ts";
import type { BundleMap } from "./bundle-map.ts";
import { keepFailurePlace } from "./failure-place.ts";
import type { EndKind } from "./guest/link.ts";
import type { RunningCall } from "./running-call.ts";

/** An error of user code: its stack names the app's own files. */
export class GuestError extends Error {
  override readonly name: string;

  constructor(name: string, message: string, stack: string) {
    super(message);
    this.name = name === "" ? "Error" : name;
    this.stack = stack === "" ? `${this.name}: ${message}` : stack;
  }
}

/** What the guest sends. Anything may be missing: user code shaped it. */
interface Told {
  readonly i?: number;
  readonly name?: string;
  readonly message?: string;
  readonly stack?: string;
  readonly code?: string;
  readonly text?: string;
  readonly details?: Json;
}

/** How errors are told. */
export interface Telling {
  readonly map: BundleMap;
  /** Whether callers may read the app's lines. */
  readonly development: boolean;
}

const memoryPattern =
  /^(Array buffer allocation failed|A length of \S+ is more than an isolate can hold\.)$/;
const codePattern = /^[A-Z][A-Z0-9_]{0,63}$/;

/** The error of a call that ended so. */
export function guestError(
  call: RunningCall,
  kind: EndKind,
  text: string,
  telling: Telling,
): unknown {
  const told = read(call.scrub(text));
  const { name } = call.input;
  switch (kind) {
    case "platform": {
      const error = call.errors[told.i ?? -1];
      if (!(error instanceof PlatformError))
        return error ?? new PlatformError("FUNCTION_FAILED", { function: name });
      if (telling.development) keepFailurePlace(error, telling.map.placeIn(told.stack ?? ""));
      return error;
    }
    case "refused":
      return refusal(told, telling);
    case "invalid":
      return coded("RESULT_INVALID", { function: name }, told, telling);
    case "large":
      return new PlatformError("RESULT_TOO_LARGE", { function: name });
    case "failed":
    case "done":
      return coded(
        isMemory(told) ? "FUNCTION_MEMORY_EXCEEDED" : "FUNCTION_FAILED",
        { function: name },
        told,
        telling,
      );
    default:
      kind satisfies never;
      return null;
  }
}

function refusal(told: Told, telling: Telling): PlatformError {
  const { code = "", text = "", details } = told;
  if (!codePattern.test(code)) return coded("FUNCTION_FAILED", {}, told, telling);
  const isPlain = typeof details === "object" && details !== null && !Array.isArray(details);
  const given = isPlain ? (details as ErrorDetails) : {};
  const cause = causeOf(told, telling.map);
  return new PlatformError("FUNCTION_REFUSED", { ...given, code, text }, { cause, text });
}

/**
 * Memory that the isolate did not give: a buffer, or a length that the guards of built-ins refuse. Unlike a heap
 * that is full this is an error that user code may catch, and the isolate lives on.
 */
function isMemory({ name, message = "" }: Told): boolean {
  return name === "RangeError" && memoryPattern.test(message);
}

function coded(
  code: "FUNCTION_FAILED" | "FUNCTION_MEMORY_EXCEEDED" | "RESULT_INVALID",
  details: ErrorDetails,
  told: Told,
  telling: Telling,
): PlatformError {
  const development = telling.development ? { development: developmentOf(told, telling.map) } : {};
  return new PlatformError(
    code,
    { ...details, ...development },
    { cause: causeOf(told, telling.map) },
  );
}

function developmentOf(told: Told, map: BundleMap): ErrorDetails {
  const { name = "Error", message = "", stack = "" } = told;
  const place = map.placeIn(stack);
  return {
    name,
    message,
    ...(place === null ? {} : { ...place }),
    stack: map.mappedStack(stack),
  };
}

function causeOf(told: Told, map: BundleMap): GuestError {
  const { name = "Error", message = told.text ?? "", stack = "" } = told;
  return new GuestError(name, message, map.mappedStack(stack));
}

function read(text: string): Told {
  try {
    const told = JSON.parse(text) as unknown;
    return typeof told === "object" && told !== null ? told : {};
  } catch {
    return {};
  }
}
