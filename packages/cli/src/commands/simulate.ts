// `keelson simulate`: a simulator of Stripe or Plaid as a server of its own, for an app that runs elsewhere.
import { randomBytes } from "node:crypto";
import { exits, Failure, usageFailure } from "../flags/failure.ts";
import type { Flags } from "../flags/flag-parse.ts";
import type { Command } from "./command.ts";

/** A simulator that runs. */
interface Simulator {
  /** What the app's environment is to hold. */
  readonly variables: readonly (readonly [name: string, value: string])[];
  close(): Promise<void>;
}

/** Serves a simulator until it is stopped. */
export const simulate: Command = {
  spec: {
    name: "simulate",
    summary: "Serves a simulator of Stripe or Plaid, for apps without keys.",
    about: [
      "Starts a server on this machine that the official SDK of the service talks to as if it were the real one. Standard output has the environment variables that the app needs; everything it knows is gone when it ends. docs/payments.md tells what it has, and how it is asked for faults: lost answers, webhooks that come twice.",
      "keelson dev starts one by itself when the app names the service's secrets and none is set.",
    ],
    words: [{ name: "service", help: "stripe or plaid." }],
    flags: [
      {
        name: "port",
        kind: "int",
        value: "<number>",
        min: 0,
        max: 65_535,
        help: "Where to listen; 0 takes any free port. Default: 0.",
      },
      {
        name: "webhook",
        kind: "text",
        value: "<url>",
        help: "stripe: where webhooks go, as http://localhost:4000/hooks/stripe. Default: nowhere, until the API adds an endpoint.",
      },
    ],
    examples: [
      {
        line: "keelson simulate stripe --port=4911 --webhook=http://localhost:4000/hooks/stripe",
        happens:
          "Serves Stripe's API at http://127.0.0.1:4911 and prints what the app is to be told.",
      },
    ],
  },
  run: async (flags, io) => {
    const service = flags.word("service") ?? "";
    const stop = io.untilStopped();
    const port = flags.int("port") ?? 0;
    const webhook = webhookOf(flags);
    const simulator = await opened(service, { port, webhook }).catch((error: unknown) => {
      throw listenFailure(error, port) ?? error;
    });
    try {
      for (const [name, value] of simulator.variables) io.terminal.out(`${name}=${value}`);
      io.terminal.note(io.terminal.tone("dim", "no money moves; stop with Ctrl-C"));
      await new Promise<void>((resolve) => {
        stop.addEventListener("abort", () => resolve(), { once: true });
        if (stop.aborted) resolve();
      });
      return exits.done;
    } finally {
      await simulator.close();
    }
  },
};

/** @throws Failure (exit 1) FLAG_VALUE_INVALID. */
function webhookOf(flags: Flags): string | null {
  const url = flags.text("webhook");
  if (url === null || (/^https?:\/\//v.test(url) && URL.canParse(url))) return url;
  throw usageFailure({
    code: "FLAG_VALUE_INVALID",
    what: `--webhook can't be "${url}".`,
    why: "It is no URL of http or https.",
    fix: "Write it like --webhook=http://localhost:4000/hooks/stripe",
  });
}

/** What the system says of an address that can't be had, told; null when it is something else. */
function listenFailure(error: unknown, port: number): Failure | null {
  const { code = "" } = (error ?? {}) as { readonly code?: unknown };
  const whys: Readonly<Record<string, string>> = {
    EADDRINUSE: "Something else listens there.",
    EACCES: "It may not be used by this user.",
  };
  const why = whys[String(code)];
  if (why === undefined) return null;
  const text = {
    code: "LISTEN_FAILED",
    what: `There is no listening at 127.0.0.1:${port}.`,
    why,
    fix: "Stop what uses the address, or choose another with --port.",
  };
  return new Failure(exits.listenFailed, text, { cause: error });
}

async function opened(
  service: string,
  { port, webhook }: { readonly port: number; readonly webhook: string | null },
): Promise<Simulator> {
  switch (service) {
    case "stripe": {
      const { startStripeSimulator } = await import("@keelson/simulators/stripe");
      const secret = `whsec_${randomBytes(24).toString("hex")}`;
      const webhooks = webhook === null ? [] : [{ url: webhook, secret }];
      const stripe = await startStripeSimulator({ port, webhooks });
      return {
        variables: [
          ["STRIPE_URL", stripe.url],
          ["STRIPE_SECRET_KEY", stripe.secretKey],
          ...(webhook === null ? [] : [["STRIPE_WEBHOOK_SECRET", secret] as const]),
        ],
        close: () => stripe.close(),
      };
    }
    case "plaid": {
      const { startPlaidSimulator } = await import("@keelson/simulators/plaid");
      const plaid = await startPlaidSimulator({ port });
      return {
        variables: [
          ["PLAID_URL", plaid.url],
          ["PLAID_CLIENT_ID", plaid.clientId],
          ["PLAID_SECRET", plaid.secret],
        ],
        close: () => plaid.close(),
      };
    }
    default:
      throw usageFailure({
        code: "WORD_UNKNOWN",
        what: `There is no simulator of ${service}.`,
        why: "There is one of stripe, and one of plaid.",
        fix: "See: keelson help simulate",
      });
  }
}
