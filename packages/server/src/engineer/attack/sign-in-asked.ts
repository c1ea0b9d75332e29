// Whether an answer of identity is "sign in first". Other refusals come after that question, so whoever gets one was let in.
import type { Observation } from "./session.ts";

/** Whether an answer sends to sign in. Who changed something was let in, wherever the answer leads: leaving for good does, too. */
export function asksToSignIn({
  answer,
  code,
  changes,
}: Pick<Observation, "answer" | "code" | "changes">): boolean {
  const { status, headers } = answer;
  if (changes.length > 0) return false;
  if (status >= 300 && status < 400) return (headers["location"] ?? "").includes("/auth/sign-in");
  return (
    status === 401 ||
    (status === 403 && (code === "SIGN_IN_REQUIRED" || code === "FRESH_SIGN_IN_REQUIRED"))
  );
}
