// How a page is declared: what it shows, and what its form does. A refusal of the form is shown by the same page, with
// what was typed (never passwords) still there.
import { andThen, recover, type Later } from "../../base/later.ts";
import type { AuthModel } from "../../model/auth-model.ts";
import type { AuthAccess, AuthAnswer, AuthAsk, AuthRoute } from "../auth-route.ts";
import type { AuthDesk } from "../auth-desk.ts";
import { openPageContext, problemText, textOf, type PageContext } from "./page-call.ts";

/** What a page says first. */
export interface PageNote {
  readonly problem: string | null;
  readonly status: number;
}

/** A page. */
export interface Page {
  readonly path: string;
  readonly access: AuthAccess;
  /** As a route's. */
  readonly takesWeak?: boolean;
  readonly isOn?: (settings: AuthModel) => boolean;
  readonly show: (context: PageContext, note: PageNote) => Later<AuthAnswer>;
  /** Does what the form asks. Absent: it has none of its own. */
  readonly submit?: (context: PageContext) => Later<AuthAnswer>;
}

const noNote: PageNote = Object.freeze({ problem: null, status: 200 });

/** The routes of a page: GET, and POST of its form. @param api the routes that pages work through. */
export function routesOfPage(page: Page, api: readonly AuthRoute[]): readonly AuthRoute[] {
  const { path, access, takesWeak = false, isOn, show, submit } = page;
  const own = { path, access, takesWeak, kind: "page" } as const;
  const shared = isOn === undefined ? own : { ...own, isOn };
  const contextOf = (ask: AuthAsk, desk: AuthDesk) => openPageContext(api, ask, desk);
  const get: AuthRoute = {
    ...shared,
    method: "GET",
    handle: (ask, desk) => show(contextOf(ask, desk), noNote),
  };
  if (submit === undefined) return [get];
  const post: AuthRoute = {
    ...shared,
    method: "POST",
    handle(ask, desk) {
      const context = contextOf(ask, desk);
      return recover(
        () => submit(context),
        (error) => {
          const problem = problemText(error);
          if (problem === null) throw error;
          const { code, text, status } = problem;
          const shown = show(context, { problem: text, status });
          return andThen(shown, (answer) => ({ ...answer, refusal: code }));
        },
      );
    },
  };
  return [get, post];
}

/** Where to go on to after this page, as it came: a path or a listed address, not checked yet. Empty: nowhere. */
export function nextOf(ask: AuthAsk): string {
  return ask.query.get("next") ?? "";
}

/** An address of a page with what it is to remember. Empty values are left out. */
export function pagePath(path: string, query: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== "");
  return pairs.length === 0 ? path : `${path}?${new URLSearchParams(pairs).toString()}`;
}

/** What was typed into a field before. */
export function typed(ask: AuthAsk, name: string): string {
  return textOf(ask.body[name]);
}

const hintCharsMax = 254;

/** Who a client that asks for a sign-in expects (`login_hint`): a proposal, which people change. Empty: nobody. */
export function hintOf({ query }: Pick<AuthAsk, "query">): string {
  const hint = query.get("hint") ?? "";
  return hint.length <= hintCharsMax ? hint : "";
}

/** What a field for an address begins with: what was typed, or who is expected. */
export function emailOf(ask: AuthAsk): string {
  return typed(ask, "email") || hintOf(ask);
}
