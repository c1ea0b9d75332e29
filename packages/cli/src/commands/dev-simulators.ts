// Stripe and Plaid while an app is written: a simulator of each whose secrets the app names and nobody has set. The
// app reaches them by the environment of this process, as it would the real ones. What they know is in the data folder:
// the next start goes on with it.
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { RunningServer } from "@keelson/server";
import type { StripeSimulator } from "@keelson/simulators/stripe";

/** The simulators that run. */
export interface DevSimulators {
  /**
   * Starts those that a version of the app needs and nobody has started, and sends webhooks to hooks that are new.
   * @returns what is new, for people: `Stripe: simulated at http://127.0.0.1:54321`.
   */
  follow(manifest: Manifest): Promise<readonly string[]>;
  close(): Promise<void>;
}

type Manifest = ReturnType<RunningServer["current"]>["app"]["manifest"];

/**
 * Opens them: none runs until an app is followed that needs it.
 * @param at.url where the app is served. @param env is given their addresses and keys.
 */
export function openDevSimulators(
  { url, dataDir }: { readonly url: string; readonly dataDir: string },
  env: Record<string, string | undefined>,
): DevSimulators {
  const closing = new AsyncDisposableStack();
  const fileOf = (name: string) => join(dataDir, "simulators", `${name}.json`);
  const isFree = (manifest: Manifest, name: string) =>
    secretsNamed(manifest).has(name) && (env[name] ?? "") === "";
  let stripe: StripeSimulator | null = null;
  const told = new Set<string>();

  async function startStripe(): Promise<string> {
    const { startStripeSimulator } = await import("@keelson/simulators/stripe");
    stripe = await startStripeSimulator({ file: fileOf("stripe") });
    const { close, secretKey, url } = stripe;
    closing.defer(close);
    env["STRIPE_SECRET_KEY"] = secretKey;
    env["STRIPE_URL"] = url;
    return `Stripe: simulated at ${url}, since STRIPE_SECRET_KEY is not set`;
  }

  async function startPlaid(): Promise<string> {
    const { startPlaidSimulator } = await import("@keelson/simulators/plaid");
    const plaid = await startPlaidSimulator({ file: fileOf("plaid") });
    closing.defer(() => plaid.close());
    Object.assign(env, {
      PLAID_CLIENT_ID: plaid.clientId,
      PLAID_SECRET: plaid.secret,
      PLAID_URL: plaid.url,
    });
    return `Plaid: simulated at ${plaid.url}, since PLAID_SECRET is not set`;
  }

  return {
    async follow(manifest) {
      const lines: string[] = [];
      if (stripe === null && isFree(manifest, "STRIPE_SECRET_KEY")) lines.push(await startStripe());
      if (isFree(manifest, "PLAID_SECRET")) lines.push(await startPlaid());
      for (const { name, variable } of stripe === null ? [] : stripeHooks(manifest)) {
        if (told.has(name)) continue;
        told.add(name);
        const secret = env[variable] ?? `whsec_${randomBytes(24).toString("hex")}`;
        env[variable] = secret;
        stripe?.addWebhook({ url: `${url}/hooks/${name}`, secret });
      }
      return lines;
    },
    close: () => closing.disposeAsync(),
  };
}

function secretsNamed(manifest: Manifest): ReadonlySet<string> {
  return new Set(Object.values(manifest.functions).flatMap(({ secrets = [] }) => secrets));
}

function stripeHooks(
  manifest: Manifest,
): readonly { readonly name: string; readonly variable: string }[] {
  return Object.entries(manifest.work?.hooks ?? {}).flatMap(([name, { scheme, secrets }]) => {
    const [variable] = secrets;
    return scheme.kind === "stripe" && variable !== undefined ? [{ name, variable }] : [];
  });
}
