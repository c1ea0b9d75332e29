// What user code threw, told to the host as text. Thrown values are hostile until read: their getters may
// throw, their texts may be endless. Nothing here throws.
import { refusalMark } from "@keelson/sdk/guest";
import { refusalIndex } from "./ask.ts";
import type { EndKind } from "./link.ts";
import { part, toJson } from "./primordials.ts";

const textCharsMax = 4_096;
const stackCharsMax = 16_384;
const detailsCharsMax = 16_384;

/** How the host is to end the call. */
export interface Failure {
  readonly kind: EndKind;
  /** JSON. */
  readonly text: string;
}

/** Tells a thrown value apart: a refusal of a system call, the app's own `Refusal`, or an error. */
export function failureOf(error: unknown): Failure {
  try {
    const index = refusalIndex(error);
    if (index !== undefined) return { kind: "platform", text: `{"i":${index},${placeOf(error)}}` };
    if (isRefusal(error)) return refused(error);
    return { kind: "failed", text: described(error) };
  } catch {
    return unreadable;
  }
}

const unreadable: Failure = { kind: "failed", text: '{"name":"Error","message":"","stack":""}' };

/** A failure of our own making. */
export function failedWith(kind: EndKind, message: string, error?: unknown): Failure {
  try {
    return { kind, text: `{"name":"Error","message":${text(message)},${placeOf(error)}}` };
  } catch {
    return { ...unreadable, kind };
  }
}

function isRefusal(error: unknown): error is Record<string, unknown> {
  return typeof error === "object" && error !== null && Reflect.get(error, refusalMark) === true;
}

function refused(error: Record<string, unknown>): Failure {
  const details = toJson(error["details"]) ?? "{}";
  const kept = details.length > detailsCharsMax ? "{}" : details;
  return {
    kind: "refused",
    text: `{"code":${text(error["code"])},"text":${text(error["message"])},"details":${kept},${placeOf(error)}}`,
  };
}

function described(error: unknown): string {
  if (typeof error !== "object" || error === null) {
    return `{"name":"Thrown","message":${text(printed(error))},"stack":""}`;
  }
  const { name, message, problem, fix } = error as Record<string, unknown>;
  const told = problem === undefined ? "" : `"problem":${text(problem)},"fix":${text(fix)},`;
  return `{"name":${text(name)},"message":${text(message)},${told}${placeOf(error)}}`;
}

function placeOf(error: unknown): string {
  if (typeof error !== "object" || error === null) return '"stack":""';
  const stack = (error as { stack?: unknown }).stack;
  return `"stack":${typeof stack === "string" ? toJson(part(stack, 0, stackCharsMax)) : '""'}`;
}

function printed(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "symbol" || typeof value === "function") return typeof value;
  return `${value as number}`;
}

function text(value: unknown): string {
  return typeof value === "string" ? (toJson(part(value, 0, textCharsMax)) ?? '""') : '""';
}
