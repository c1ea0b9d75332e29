// The host's side of the border: gives the guest its callbacks, and holds what the host enters it by.
import ivm from "isolated-vm";
import { assert } from "../base/assert.ts";
import type { Limits } from "../base/limits.ts";
import { mailWords, type GuestLimits, type HostLink } from "./guest/link.ts";
import type { KeptHandles } from "./kept-handles.ts";

/** What the guest calls; see HostLink for what each takes and gives. None may throw. */
export type GuestCallbacks = Pick<
  HostLink,
  "system" | "target" | "effect" | "pure" | "end" | "log"
>;

/** A result that came through shared memory. */
export interface Mail {
  readonly callId: number;
  readonly resultJson: string;
}

/** A guest that is connected. */
export interface GuestLink {
  readonly take: ivm.Reference;
  readonly start: ivm.Reference;
  readonly resume: ivm.Reference;
  readonly forget: ivm.Reference;
  /** The small result that the slice left, if it did. Once. */
  readMail(): Mail | null;
  /** What `system` is about: see mailWords. */
  readonly head: Int32Array;
}

const headBytes = mailWords.count * Int32Array.BYTES_PER_ELEMENT;
const bodyBytes = 1_024;

/** Connects the guest in a fresh context. */
export function connectGuest(
  context: ivm.Context,
  callbacks: GuestCallbacks,
  { limits, kept }: { readonly limits: Limits; readonly kept: KeptHandles },
): GuestLink {
  const global = kept.keep(context.global);
  context.evalSync("globalThis.__guest = __keelsonGuest; delete globalThis.__keelsonGuest;");
  const guest: ivm.Reference = kept.keep(global.getSync("__guest", { reference: true }));
  global.deleteSync("__guest");
  const reference = (name: string): ivm.Reference =>
    kept.keep(guest.getSync(name, { reference: true }));
  const memory = new SharedArrayBuffer(headBytes + bodyBytes);
  const { system, target, effect, pure, end, log } = callbacks;
  reference("open").applySync(undefined, [
    ...[system, target, effect, pure, end, log].map((callback) =>
      kept.keep(new ivm.Callback(callback)),
    ),
    kept.keep(kept.keep(new ivm.ExternalCopy(memory)).copyInto()),
    JSON.stringify(guestLimits(limits)),
  ]);
  const head = new Int32Array(memory, 0, mailWords.count);
  const body = Buffer.from(memory, headBytes);
  return {
    take: reference("take"),
    start: reference("start"),
    resume: reference("resume"),
    forget: reference("forget"),
    head,
    readMail() {
      if (head[mailWords.full] === 0) return null;
      head[mailWords.full] = 0;
      const length = head[mailWords.length] as number;
      assert(length >= 0, "the mailbox has a length");
      assert(length <= bodyBytes, "the mailbox is no longer than it is");
      return {
        callId: head[mailWords.callId] as number,
        resultJson: body.toString("latin1", 0, length),
      };
    },
  };
}

function guestLimits(limits: Limits): GuestLimits {
  return {
    resultCharsMax: limits.resultBytesMax,
    payloadCharsMax: limits.argsBytesMax,
    logLineCharsMax: limits.logLineCharsMax,
    logLinesMax: limits.logLinesMax,
  };
}
