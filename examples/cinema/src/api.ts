// The backend, typed by its own source, and who is signed in.
import type { Id } from "keelson";
import { createClient, KeelsonError } from "keelson/client";
import type app from "../keelson/app.ts";

export const api = createClient<typeof app>(location.origin);

/** Who is signed in, as the backend's rules see them. */
export type Me = NonNullable<Awaited<ReturnType<typeof api.auth.me>>>;

/** Whoever is nobody yet becomes a guest: what a guest holds stays theirs when they sign up. */
export async function beSomebody(): Promise<void> {
  const { me } = api.auth.store.getSnapshot();
  if (!me) await api.auth.guest();
}

/** How long Stripe may take to make its page. */
const tillMsMax = 30_000;

/** Goes to the page where the seats held at a screening are paid for. @throws when there is none in time. */
export async function toTheTill(screening: Id<"screening">): Promise<void> {
  const payment = await api.pay.start({ screening });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const timer = setTimeout(() => reject(new Error("Stripe made no page in time.")), tillMsMax);
  const stop = api.pay.till({ payment }).live((url) => url !== null && resolve(url), reject);
  try {
    location.assign(await promise);
  } finally {
    clearTimeout(timer);
    stop();
  }
}

/** What to tell a person about a refusal. */
export function messageOf(error: unknown): string {
  if (!(error instanceof KeelsonError)) return "Something went wrong. Try again.";
  if (error.code === "SIGN_IN_REQUIRED") {
    // The session was ended elsewhere: the page finds out who is here now.
    void api.auth.me();
    return "You are signed out. Sign in again, or choose the seat as a guest.";
  }
  if (error.code === "CONNECTION_LOST") return "The ticket office can't be reached. Try again.";
  if (error.code === "UNIQUE_TAKEN") return "Somebody was faster: that seat has just been taken.";
  return error.message;
}
