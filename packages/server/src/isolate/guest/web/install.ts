// The web APIs that user code finds, in one list.
import { resolved, whenSettled } from "../primordials.ts";
import { guestCrypto } from "./crypto.ts";
import { CryptoKey } from "./crypto-key.ts";
import {
  AbortController,
  AbortSignal,
  CustomEvent,
  DOMException,
  Event,
  EventTarget,
} from "./events.ts";
import { fetch } from "./fetch.ts";
import { Headers } from "./headers.ts";
import { Request, Response } from "./message.ts";
import { structuredClone } from "./structured-clone.ts";
import { atob, btoa, TextDecoder, TextEncoder } from "./text.ts";
import { timerFunctions } from "./timers.ts";
import { URL } from "./url.ts";
import { URLSearchParams } from "./url-search-params.ts";

/** Puts them all on the global object. */
export function installWeb(): void {
  const all = {
    AbortController,
    AbortSignal,
    CryptoKey,
    CustomEvent,
    DOMException,
    Event,
    EventTarget,
    Headers,
    Request,
    Response,
    TextDecoder,
    TextEncoder,
    URL,
    URLSearchParams,
    atob,
    btoa,
    crypto: guestCrypto,
    fetch,
    queueMicrotask,
    self: globalThis,
    structuredClone,
    ...timerFunctions,
  };
  for (const [name, value] of Object.entries(all)) {
    Object.defineProperty(globalThis, name, {
      value,
      writable: true,
      enumerable: false,
      configurable: true,
    });
  }
  for (const [Class, tag] of tagged) {
    Object.defineProperty(Class.prototype, Symbol.toStringTag, { value: tag, configurable: true });
  }
}

const tagged = [
  [AbortSignal, "AbortSignal"],
  [Headers, "Headers"],
  [Request, "Request"],
  [Response, "Response"],
  [URL, "URL"],
  [URLSearchParams, "URLSearchParams"],
] as const;

function queueMicrotask(run: unknown): void {
  if (typeof run !== "function") throw new TypeError("queueMicrotask takes a function.");
  whenSettled(
    resolved(undefined),
    () => Reflect.apply(run, undefined, []) as unknown,
    () => undefined,
  );
}
