// `ctx.mail` of one call: a system call that the host answers; it reads what comes with it as it would a stranger's.
import type { MailContext } from "@keelson/sdk";
import { ask } from "./ask.ts";
import { toJson } from "./primordials.ts";
import type { Call } from "./running.ts";

/** Makes it. */
export function mailCalls(call: Call): {
  readonly [N in keyof MailContext]: (letter?: unknown) => Promise<unknown>;
} {
  return { send: (letter) => ask(call, "mail.send", toJson(letter ?? {}) ?? "{}") };
}
