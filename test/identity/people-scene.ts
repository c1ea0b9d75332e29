// A club's server, its mailbox, and people with browsers of their own, for tests of what people see of identity.
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startServer, type RunningServer, type ServerOptions } from "@keelson/server";
import axe from "axe-core";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";

const executablePath =
  process.env["CHROMIUM"] ??
  ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);

/** Why tests in a browser can't run here; false: they can. */
export const skip =
  executablePath === undefined && "chromium is not installed (CHROMIUM names it elsewhere)";

const flags = [
  ...["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"],
  ...["--disable-component-update", "--disable-sync"],
];

/** A password that no list has. */
export const password = "seven small boats at dawn";

/** A mail as the mailbox shows it. */
export interface Mail {
  readonly number: number;
  readonly to: string;
  readonly template: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** The club while it is served. */
export interface Club {
  readonly server: RunningServer;
  /** By name: passkeys are for names, not for numbers. */
  readonly url: string;
  /** The newest mail to an address, once there is one that was not taken before. */
  mail(to: string, template: string): Promise<Mail>;
  /** The link in it. */
  link(to: string, template: string): Promise<string>;
}

type Ending = { after(fn: () => Promise<void>): void };

/** Serves the club. */
export async function openClub(
  context: Ending,
  options: Partial<ServerOptions> = {},
): Promise<Club> {
  const folder = mkdtempSync(join(tmpdir(), "keelson-club-"));
  const server = await startServer({
    appDir: join(import.meta.dirname, "app"),
    dataDir: join(folder, "data"),
    port: 0,
    mode: "development",
    ...options,
  });
  context.after(async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  });
  const taken = new Set<number>();
  const find = async (to: string, template: string): Promise<Mail | undefined> => {
    const response = await fetch(`${server.url}/_/mail`, {
      headers: { accept: "application/json" },
    });
    const { mails } = (await response.json()) as { readonly mails: readonly Mail[] };
    return mails.find(
      (mail) => mail.to === to && mail.template === template && !taken.has(mail.number),
    );
  };
  const mail = async (to: string, template: string): Promise<Mail> => {
    for (let tries = 0; tries < 500; tries++) {
      const found = await find(to, template);
      if (found !== undefined) {
        taken.add(found.number);
        return found;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`no mail ${template} came to ${to}`);
  };
  return {
    server,
    url: server.url.replace("127.0.0.1", "localhost"),
    mail,
    async link(to, template) {
      const { text } = await mail(to, template);
      const [link] = /http:\/\/\S+/.exec(text) ?? [];
      assert.ok(link !== undefined, text);
      return link;
    },
  };
}

/** Starts Chromium; the end of the test ends it. */
export async function openBrowser(context: Ending): Promise<Browser> {
  const browser = await chromium.launch({ executablePath: executablePath ?? "", args: flags });
  context.after(() => browser.close());
  return browser;
}

/** A person with a browser of their own; what goes wrong in their pages is in `mistakes`. */
export async function visit(
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<{ readonly page: Page; readonly mistakes: string[] }> {
  const context = await browser.newContext({ locale: "en-GB", ...options });
  context.setDefaultTimeout(20_000);
  const page = await context.newPage();
  const mistakes: string[] = [];
  page.on("pageerror", (error) => mistakes.push(error.message));
  page.on("console", (message) => {
    // A refused request is a line of the console in every browser; what a policy blocked is one too.
    if (message.type() === "error" && !/status of 4\d\d/.test(message.text())) {
      mistakes.push(message.text());
    }
  });
  return { page, mistakes };
}

/** Signs up and follows the letter, in one browser. */
export async function signUp(club: Club, page: Page, email: string, name = "Ada"): Promise<void> {
  await page.goto(`${club.url}/auth/sign-up`);
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("E-mail address").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign up" }).click();
  await page.getByRole("heading", { name: "Look into your mail" }).waitFor();
  await page.goto(await club.link(email, "verify-email"));
  await page.getByRole("button", { name: "Confirm" }).click();
  await page.getByRole("heading", { name: "Your account" }).waitFor();
}

/** Types address and password. */
export async function signIn(
  club: Club,
  page: Page,
  email: string,
  word = password,
): Promise<void> {
  await page.goto(`${club.url}/auth/sign-in`);
  await page.getByLabel("E-mail address").fill(email);
  await page.getByLabel("Password").fill(word);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
  }[];
}

/**
 * What people who see little meet in a page: what axe finds in it, in light and dark, and what is out of sight.
 * @param inspector a page with scripts; axe needs them. @param html of the page.
 */
export async function accessProblems(inspector: Page, html: string): Promise<readonly string[]> {
  const problems: string[] = [];
  const run = async (options: string): Promise<void> => {
    const { violations } = await inspector.evaluate<AxeResult>(`axe.run(${options})`);
    for (const { id, nodes } of violations) {
      for (const { html: at, failureSummary } of nodes.slice(0, 3)) {
        problems.push(`${id}: ${at} ${failureSummary}`);
      }
    }
  };
  await inspector.emulateMedia({ colorScheme: "light" });
  await inspector.setContent(html);
  await inspector.evaluate(axe.source);
  await run("");
  await inspector.emulateMedia({ colorScheme: "dark" });
  await run('{ runOnly: ["color-contrast"] }');
  for (const width of [1_280, 360]) {
    await inspector.setViewportSize({ width, height: 800 });
    const hidden = await inspector.evaluate(
      () => document.documentElement.scrollWidth - window.innerWidth,
    );
    if (hidden > 0) problems.push(`${hidden} pixels are out of sight at ${width}`);
  }
  return problems;
}
