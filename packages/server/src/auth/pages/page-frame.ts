// What is around every page: head, name of the app, notices, policy. A page is one answer with everything in it; the
// only thing that it may load beside are pictures and fonts of the app.
import type { AuthDesk } from "../auth-desk.ts";
import type { AuthAnswer } from "../auth-route.ts";
import { Html, html, type HtmlValue } from "./html.ts";
import { policyOf } from "./page-policy.ts";
import { pageStyle } from "./page-style.ts";
import { themeProblem } from "./page-theme.ts";

/** A page. */
export interface PageParts {
  /** Heading and title. */
  readonly title: string;
  readonly body: HtmlValue;
  /** Default: 200. */
  readonly status?: number;
  /** What went wrong, said first. */
  readonly problem?: string | null;
  /** What went well, said first. */
  readonly notice?: string | null;
  /** For lists. Default: no. */
  readonly isWide?: boolean;
  /** Stands between the app's name and the page. */
  readonly nav?: HtmlValue;
  /** Whether a form of it leads to another provider, whose address only that provider knows. Default: no. */
  readonly leadsElsewhere?: boolean;
  /** A script for what only scripts can do. Default: none. */
  readonly script?: string;
}

/** Answers with a page. */
export function pageAnswer(desk: AuthDesk, parts: PageParts): AuthAnswer {
  const { title, body, status = 200, problem = null, notice = null, isWide = false } = parts;
  const { leadsElsewhere = false } = parts;
  const style = styleOf(desk);
  const app = desk.settings.name;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${problem === null ? "" : "Problem: "}${title} - ${app}</title>
${Html.element("style", style)}
</head>
<body>
<main${isWide ? html` class="wide"` : ""}>
<p class="app"><a href="/">${app}</a></p>
${parts.nav}
<div class="card">
<h1>${title}</h1>
${problem === null ? "" : html`<p class="notice bad" role="alert">${problem}</p>`}
${notice === null ? "" : html`<p class="notice" role="status">${notice}</p>`}
${body}
</div>
</main>
${parts.script === undefined ? "" : Html.element("script", parts.script)}
</body>
</html>
`;
  const policy = policyOf({
    styles: [style],
    scripts: parts.script === undefined ? [] : [parts.script],
    formTargets: [...formTargets(desk), ...(leadsElsewhere ? elsewhere(desk) : [])],
  });
  return { status, html: page.text, headers: pageHeaders(policy) };
}

/** Our sheet, and the app's after it, when that can be sent inside a page. */
function styleOf(desk: AuthDesk): string {
  const theme = desk.theme?.() ?? "";
  const problem = themeProblem(theme);
  if (problem === null) return `${pageStyle}${theme}`;
  desk.report(new Error(`keelson/auth.css is not used: ${problem}`));
  return pageStyle;
}

function pageHeaders(policy: string): readonly (readonly [string, string])[] {
  return [
    ["content-security-policy", policy],
    ["x-frame-options", "DENY"],
    // Addresses of pages hold tickets: no other site is told. `no-referrer` would take the Origin from our own forms.
    ["referrer-policy", "same-origin"],
    ["cross-origin-opener-policy", "same-origin"],
    ["cache-control", "no-store"],
  ];
}

/** Where a form's answer may send people on to: browsers hold redirects to the page's policy too. */
function formTargets({ settings, manifest }: AuthDesk): readonly string[] {
  const clients = Object.values(settings.clients).flatMap(({ redirects }) => redirects);
  const all = [
    ...settings.redirects,
    ...clients,
    ...manifest.cors.filter((origin) => origin !== "*"),
  ];
  return [...new Set(all.map(sourceOf).filter((source) => source !== null))];
}

/** Anywhere over https; a provider without it (one of a test, on this machine) by its own origin. */
function elsewhere({ settings }: AuthDesk): readonly string[] {
  const addresses = Object.values(settings.providers).map((provider) =>
    provider.kind === "oauth" ? provider.authorizationEndpoint : provider.issuer,
  );
  const plain = addresses.filter((address) => address.startsWith("http:"));
  return ["https:", ...plain.map((address) => new URL(address).origin)];
}

/** The origin of a web address, the scheme of any other (`com.example.app:`). */
function sourceOf(address: string): string | null {
  if (!URL.canParse(address)) return null;
  const { origin, protocol } = new URL(address);
  return origin === "null" ? protocol : origin;
}
