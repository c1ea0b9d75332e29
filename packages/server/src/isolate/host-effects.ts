// Effects that the isolate's host answers itself: randomness in every function, timers and `fetch` in
// actions and http functions only. Database and `run` are the gate's.
import { createCipheriv, createHash, type Cipheriv } from "node:crypto";
import type { FunctionSpec } from "@keelson/sdk/spec";
import type { Clock } from "../base/clock.ts";
import type { Limits } from "../base/limits.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { Egress, EgressRequest } from "./egress.ts";
import type { RunningCall } from "./running-call.ts";

/** What effects need of the world. */
export interface EffectPorts {
  readonly clock: Clock;
  readonly limits: Limits;
  readonly egress: Egress;
  readonly secret?: (name: string) => string | null;
}

/** What a function declares of the world. */
type Declared = Pick<FunctionSpec, "hosts" | "secrets">;

const randomBytesMax = 65_536;

/** Answers effects of calls. */
export class HostEffects {
  readonly #ports: EffectPorts;
  readonly #specOf: (name: string) => Declared | undefined;
  readonly #streams = new WeakMap<RunningCall, Cipheriv>();
  readonly #timers = new WeakMap<RunningCall, Map<number, () => void>>();

  /** @param specOf what a function declared. */
  constructor(ports: EffectPorts, specOf: (name: string) => Declared | undefined) {
    this.#ports = ports;
    this.#specOf = specOf;
  }

  /** @returns text now, or a promise of it. @throws PlatformError. */
  answer(call: RunningCall, operation: string, payload: string): string | Promise<string> {
    switch (operation) {
      case "random":
        return this.#random(call, Number(payload));
      case "timer":
        return this.#timer(call, payload);
      case "timer.cancel":
        this.#timers.get(call)?.get(Number(payload))?.();
        return "null";
      case "fetch":
        return this.#fetch(call, payload);
      case "secret":
        return JSON.stringify(this.#secret(call, payload));
      case "oversized":
        throw this.#oversized(payload);
      default:
        throw new PlatformError("SYSTEM_CALL_DENIED", { operation });
    }
  }

  /** A system call that the guest did not send: so much would have to be copied first. */
  #oversized(operation: string): PlatformError {
    const { argsBytesMax } = this.#ports.limits;
    const problem = `what it is given is longer than ${argsBytesMax} characters of JSON (argsBytesMax)`;
    return new PlatformError("SYSTEM_CALL_INVALID", { operation, problem });
  }

  /** Bytes that follow from the call's seed: AES-256 in counter mode, keyed by the seed's hash. Base64. */
  #random(call: RunningCall, count: number): string {
    if (!(Number.isInteger(count) && count >= 0 && count <= randomBytesMax)) {
      throw new PlatformError("ARGUMENT_INVALID", { bytesMax: randomBytesMax });
    }
    let stream = this.#streams.get(call);
    if (stream === undefined) {
      const key = createHash("sha256").update(`keelson.random\n${call.input.seed}`).digest();
      stream = createCipheriv("aes-256-ctr", key, Buffer.alloc(16));
      this.#streams.set(call, stream);
    }
    return stream.update(Buffer.alloc(count)).toString("base64");
  }

  /** @param payload `id ms`. The answer comes when the time is over, or never when it is cancelled. */
  #timer(call: RunningCall, payload: string): Promise<string> {
    this.#assertAction(call, "timers");
    const { clock, limits } = this.#ports;
    const [id = 0, delayMs = 0] = payload.split(" ").map(Number);
    if (call.timers >= limits.timersMax) throw tooMany("timersMax", limits.timersMax);
    call.timers++;
    const { promise, resolve } = Promise.withResolvers<string>();
    const timers = this.#timers.get(call) ?? new Map<number, () => void>();
    this.#timers.set(call, timers);
    const end = (answer: string): void => {
      if (!timers.delete(id)) return;
      call.timers--;
      stop();
      forget();
      resolve(answer);
    };
    const bounded = Math.min(Math.max(delayMs, 0), limits.actionMsMax);
    const stop = clock.after(Number.isFinite(bounded) ? bounded : 0, () => end("true"));
    const forget = call.onEnd(stop);
    timers.set(id, () => end("false"));
    return promise;
  }

  #fetch(call: RunningCall, payload: string): Promise<string> {
    this.#assertAction(call, "fetch");
    const { limits, egress } = this.#ports;
    if (call.fetches >= limits.fetchesMax) throw tooMany("fetchesMax", limits.fetchesMax);
    call.fetches++;
    const aborter = new AbortController();
    const forget = call.onEnd(() => aborter.abort());
    const { id, request, redirect } = JSON.parse(payload) as Pick<
      EgressRequest,
      "request" | "redirect"
    > & { readonly id: number };
    const timers = this.#timers.get(call) ?? new Map<number, () => void>();
    this.#timers.set(call, timers);
    timers.set(id, () => aborter.abort());
    const sent = egress.send({
      request,
      redirect,
      hosts: this.#hostsOf(call),
      msMax: limits.fetchMsMax,
      bytesMax: limits.fetchBytesMax,
      redirectsMax: limits.redirectsMax,
      signal: aborter.signal,
    });
    return sent
      .then((answer) => JSON.stringify(answer))
      .finally(() => {
        call.fetches--;
        timers.delete(id);
        forget();
      });
  }

  /** Hosts as declared; `$NAME` stands for the host of the address in that environment variable. */
  #hostsOf({ input }: RunningCall): readonly string[] {
    const { hosts = [] } = this.#specOf(input.name) ?? {};
    return hosts.flatMap((host) => {
      if (!host.startsWith("$")) return [host];
      const url = this.#ports.secret?.(host.slice(1)) ?? "";
      return URL.canParse(url) ? [new URL(url).host] : [];
    });
  }

  #secret(call: RunningCall, name: string): string {
    this.#assertAction(call, "secret");
    const { secrets = [] } = this.#specOf(call.input.name) ?? {};
    if (!secrets.includes(name)) {
      throw new PlatformError("SECRET_UNDECLARED", { secret: name.slice(0, 100) });
    }
    const value = this.#ports.secret?.(name) ?? null;
    if (value === null) throw new PlatformError("SECRET_MISSING", { set: name });
    call.keepSecret(name, value);
    return value;
  }

  #assertAction(call: RunningCall, what: string): void {
    const { kind } = call.input;
    if (kind === "action" || kind === "http") return;
    throw new PlatformError("SYSTEM_CALL_DENIED", { operation: what, kind });
  }
}

function tooMany(limit: string, max: number): PlatformError {
  return new PlatformError("FUNCTION_CALLS_EXCEEDED", { [limit]: max });
}
