// Stripe and Plaid while an app is written: a simulator of each whose secrets the app names and nobody has set. The
// app reaches them by the environment of this process, as it would the real ones; nothing of it outlasts the process.
import { randomBytes } from "node:crypto";
import type { RunningServer } from "@keelson/server";

/** The simulators that run. */
export interface DevSimulators {
  /** Where each is, for people: `Stripe: simulated at http://127.0.0.1:54321`. */
  readonly lines: readonly string[];
  close(): Promise<void>;
}

type Manifest = ReturnType<RunningServer["current"]>["app"]["manifest"];

/** Starts those that an app needs. @param env is given their addresses and keys. */
export async function openDevSimulators(
  { manifest, url }: { readonly manifest: Manifest; readonly url: string },
  env: Record<string, string | undefined>,
): Promise<DevSimulators> {
  const named = secretsNamed(manifest);
  const lines: string[] = [];
  const closing = new AsyncDisposableStack();
  const isFree = (name: string) => named.has(name) && (env[name] ?? "") === "";
  if (isFree("STRIPE_SECRET_KEY")) {
    const { startStripeSimulator } = await import("@keelson/simulators/stripe");
    const webhooks = stripeHooks(manifest).map(({ name, variable }) => {
      const secret = env[variable] ?? `whsec_${randomBytes(24).toString("hex")}`;
      env[variable] = secret;
      return { url: `${url}/hooks/${name}`, secret };
    });
    const stripe = await startStripeSimulator({ webhooks });
    closing.defer(() => stripe.close());
    env["STRIPE_SECRET_KEY"] = stripe.secretKey;
    env["STRIPE_URL"] = stripe.url;
    lines.push(`Stripe: simulated at ${stripe.url}, since STRIPE_SECRET_KEY is not set`);
  }
  if (isFree("PLAID_SECRET")) {
    const { startPlaidSimulator } = await import("@keelson/simulators/plaid");
    const plaid = await startPlaidSimulator();
    closing.defer(() => plaid.close());
    Object.assign(env, {
      PLAID_CLIENT_ID: plaid.clientId,
      PLAID_SECRET: plaid.secret,
      PLAID_URL: plaid.url,
    });
    lines.push(`Plaid: simulated at ${plaid.url}, since PLAID_SECRET is not set`);
  }
  return { lines, close: () => closing.disposeAsync() };
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
