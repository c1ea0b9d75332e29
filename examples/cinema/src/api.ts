// The backend, typed by its own source, and who is signed in.
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
