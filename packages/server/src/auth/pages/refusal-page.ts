// What a person sees when a page can't be shown: the way to the page that mends it, or what is wrong in a sentence.
import { errorCodes } from "../../base/error-codes.ts";
import { PlatformError } from "../../base/platform-error.ts";
import type { AuthDesk } from "../auth-desk.ts";
import type { AuthAnswer, AuthAsk } from "../auth-route.ts";
import { html } from "./html.ts";
import { problemText } from "./page-call.ts";
import { pageAnswer } from "./page-frame.ts";
import { pagePath } from "./page-route.ts";

/** Answers a page's refusal. @throws what is no refusal: the door reports it. */
export function refusalPage(error: unknown, ask: AuthAsk, desk: AuthDesk): AuthAnswer {
  const code: string = error instanceof PlatformError ? error.code : "INTERNAL";
  // Back to where the person was. A form is not sent again by itself: its page is shown.
  const search = ask.query.toString();
  const next = search === "" ? ask.path : `${ask.path}?${search}`;
  switch (code) {
    case "SIGN_IN_REQUIRED":
    case "TOKEN_INVALID":
    case "TOKEN_EXPIRED":
      return { location: pagePath("/auth/sign-in", { next }) };
    case "FRESH_SIGN_IN_REQUIRED":
      return { location: pagePath("/auth/confirm", { next }) };
    case "SECOND_FACTOR_REQUIRED":
      if (ask.path !== "/auth/security") return { location: "/auth/security" };
      break;
    default:
  }
  const problem = problemText(error) ?? serverProblem(error);
  return pageAnswer(desk, {
    title: "This did not work",
    status: problem.status,
    problem: problem.text,
    body: html`<p><a href="/auth/sign-in">Sign in</a> or <a href="/">go to the start page</a>.</p>`,
  });
}

function serverProblem(error: unknown) {
  if (!(error instanceof PlatformError)) throw error;
  const { status, text, fault } = errorCodes[error.code];
  if (fault === "host") throw error;
  return { status, text };
}
