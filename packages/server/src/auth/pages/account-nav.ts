// What is around the pages of somebody's own account.
import type { AuthAnswer } from "../auth-route.ts";
import { html, type Html, type HtmlValue } from "./html.ts";
import type { PageContext } from "./page-call.ts";
import { pageAnswer } from "./page-frame.ts";
import type { PageNote } from "./page-route.ts";

/** A page of an account. */
export interface AccountPart {
  readonly title: string;
  readonly body: HtmlValue;
  readonly notice?: string | null;
  readonly script?: string;
  readonly leadsElsewhere?: boolean;
}

/** Answers with it. */
export function accountAnswer(context: PageContext, note: PageNote, part: AccountPart): AuthAnswer {
  const { ask, desk } = context;
  const links: readonly (readonly [string, string, boolean])[] = [
    ["/auth/account", "Account", true],
    ["/auth/security", "Security", true],
    ["/auth/sessions", "Sessions", true],
    ["/auth/events", "Activity", true],
    ["/auth/orgs", "Organisations", desk.settings.organisations !== null],
    ["/auth/keys", "Keys", desk.settings.keys],
  ];
  const items = links.flatMap(([path, label, isOn]) => {
    if (!isOn) return [];
    const isHere = ask.path === path || ask.path.startsWith(`${path}/`);
    return [
      html`<li><a href="${path}" ${isHere ? html` aria-current="page"` : ""}>${label}</a></li>`,
    ];
  });
  return pageAnswer(desk, {
    ...note,
    ...part,
    isWide: true,
    nav: html`<nav aria-label="Your account">
      <ul>
        ${items}
      </ul>
    </nav>`,
  });
}

/** An instant as people read it; the exact one is in the element. */
export function when(time: string): Html {
  return html`<time datetime="${time}">${time.slice(0, 10)} ${time.slice(11, 16)} UTC</time>`;
}

/** A browser and system in two words, from what it says of itself: a hint, not a fact. */
export function deviceName(userAgent: string): string {
  if (userAgent === "") return "An unknown device";
  const browser = firstOf(userAgent, [
    ["Edg/", "Edge"],
    ["OPR/", "Opera"],
    ["Firefox/", "Firefox"],
    ["Chrome/", "Chrome"],
    ["Safari/", "Safari"],
  ]);
  const system = firstOf(userAgent, [
    ["iPhone", "iPhone"],
    ["iPad", "iPad"],
    ["Android", "Android"],
    ["Windows", "Windows"],
    ["Mac OS X", "Mac"],
    ["Linux", "Linux"],
  ]);
  if (browser === null) return userAgent.slice(0, 60);
  return system === null ? browser : `${browser} on ${system}`;
}

function firstOf(text: string, names: readonly (readonly [string, string])[]): string | null {
  return names.find(([mark]) => text.includes(mark))?.[1] ?? null;
}
