// The backend, typed by its own source, and who is signed in.
import { createClient, KeelsonError } from "keelson/client";
import type app from "../keelson/app.ts";

const storageKey = "keel.session";

export interface Session {
  readonly name: string;
  readonly role: "customer" | "staff";
  readonly user: string;
  readonly token: string;
}

/** Who is signed in on this page, if anybody. */
export function currentSession(): Session | null {
  const text = localStorage.getItem(storageKey);
  return text === null ? null : (JSON.parse(text) as Session);
}

export const api = createClient<typeof app>(location.origin, {
  token: () => currentSession()?.token ?? null,
});

/** Signs in by name: an address that only a development server has. */
export async function signIn(name: string, role: Session["role"]): Promise<Session> {
  const response = await fetch("/auth/development-token", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name, role }),
  });
  if (response.status === 404) throw new Error("This server does not sign people in by name.");
  if (!response.ok) throw new Error("That name can't be taken. Try another.");
  const { token, user } = (await response.json()) as { token: string; user: string };
  const session: Session = { name, role, user, token };
  localStorage.setItem(storageKey, JSON.stringify(session));
  return session;
}

export function signOut(): void {
  localStorage.removeItem(storageKey);
}

/** What to tell a person about a refusal. */
export function messageOf(error: unknown): string {
  if (!(error instanceof KeelsonError)) return "Something went wrong. Try again.";
  if (error.code === "TOKEN_EXPIRED" || error.code === "TOKEN_INVALID") {
    // Of yesterday, or of a data folder that is gone: without it the page works again.
    signOut();
    location.reload();
  }
  if (error.code === "CONNECTION_LOST") return "The ticket office can't be reached. Try again.";
  if (error.code === "UNIQUE_TAKEN") return "Somebody was faster: that seat has just been taken.";
  return error.message;
}
