// Asks and live queries through the SDK's client, as an app's pages have them.
import type { LiveAsk, LiveStep } from "@keelson/sdk/live-protocol";
import type { Json } from "@keelson/sdk/spec";
import {
  createClient,
  KeelsonError,
  type Call,
  type CallOptions,
  type LiveStore,
} from "keelson/client";
import type app from "./app/keelson/app.ts";
import { Lost, type Transport } from "./transport.ts";

type Member = (...args: unknown[]) => Call<Json> & { store(): LiveStore<Json> };
type Members = { readonly [name: string]: { readonly [name: string]: Member } };

/** A client of the SDK. */
export interface SdkTransport extends Transport {
  /** Follows what a step reads. @param changed called whenever anything changed. @returns its value, and the end. */
  follow(step: LiveStep, changed: () => void): { shown(): Json | undefined; stop(): void };
}

/** @param carrier what carries its calls; live queries have a connection anyway. */
export function sdkTransport(url: string, token: string, carrier: "http" | "live"): SdkTransport {
  const api = createClient<typeof app>(url, {
    token,
    transport: carrier,
    retry: { attempts: 40, baseMs: 5, capMs: 100 },
  });
  const call = (step: LiveStep, options: CallOptions = {}): ReturnType<Member> => {
    const [name, member, args] = memberOf(step);
    const made = (api as unknown as Members)[name]?.[member]?.(...args, options);
    if (made === undefined) throw new Error(`the app has no ${name}.${member}`);
    return made;
  };
  const send = (ask: LiveAsk, options: CallOptions): Promise<Json> =>
    "steps" in ask
      ? (api.batch(ask.steps.map((step) => call(step)) as never, options) as Promise<Json>)
      : Promise.resolve(call(ask, options));
  return {
    async send(ask, { key }) {
      try {
        const value = await send(ask, key === undefined ? {} : { idempotencyKey: key });
        return { kind: "done", value: value ?? null, commit: null };
      } catch (error) {
        if (!(error instanceof KeelsonError)) throw error;
        const { code, status, isSent } = error;
        if (status === 0) throw new Lost(isSent);
        return { kind: "refused", code, status };
      }
    },
    follow(step, changed) {
      const store = call(step).store();
      const stop = store.subscribe(changed);
      return { shown: () => store.getSnapshot().data, stop };
    },
    close: () => api.close(),
  };
}

function memberOf(step: LiveStep): [name: string, member: string, args: unknown[]] {
  if ("call" in step) {
    const [name = "", member = ""] = step.call.split(".");
    return [name, member, [step.args ?? {}]];
  }
  if ("list" in step) return [step.list, "page", [step.query]];
  if ("get" in step) return [step.get, "get", [step.id]];
  if ("create" in step) return [step.create, "create", [step.value]];
  if ("update" in step) return [step.update, "update", [step.id, step.value]];
  return [step.delete, "delete", [step.id]];
}
