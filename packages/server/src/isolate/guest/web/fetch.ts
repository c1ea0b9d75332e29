// `fetch`: in actions and http functions, to the hosts that the function declared. The host sends.
import type { EgressAnswer } from "../../egress.ts";
import { askEffect, askNow } from "../ask.ts";
import { toJson } from "../primordials.ts";
import { callFor } from "../running.ts";
import { bytesFrom } from "./bytes.ts";
import { rawRequestOf, Request, Response } from "./message.ts";
import { nextEffectId } from "./timers.ts";

const nullBody: ReadonlySet<number> = new Set([101, 204, 205, 304]);

/** Sends a request. @throws TypeError in queries and mutations; EGRESS_DENIED, EGRESS_FAILED. */
export async function fetch(input: unknown, init?: object): Promise<Response> {
  const call = callFor("fetch");
  if (!call.hosts) {
    throw new TypeError(
      `A ${call.kind} cannot fetch: it must give the same answer every time. Use an action.`,
    );
  }
  const request = new Request(input, init);
  const { signal, redirect } = request;
  signal?.throwIfAborted();
  const id = nextEffectId();
  const payload = toJson({ id, request: rawRequestOf(request), redirect }) ?? "null";
  const abort = (): void => {
    askNow(call, "timer.cancel", `${id}`);
  };
  signal?.addEventListener("abort", abort);
  try {
    return responseOf((await askEffect(call, "fetch", payload)) as EgressAnswer);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

function responseOf(answer: EgressAnswer): Response {
  const { status, statusText, headers, body } = answer;
  const bytes = body === null || nullBody.has(status) ? null : bytesFrom(body);
  const response = new Response(bytes, { status, statusText, headers });
  response.url = answer.url;
  response.redirected = answer.redirected;
  return response;
}
