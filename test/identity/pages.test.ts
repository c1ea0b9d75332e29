// The ready-made pages in a real browser with scripts turned off: everything but passkeys goes by links and forms. On
// the way every page is looked at by axe, light and dark, wide and narrow.
import assert from "node:assert/strict";
import { test } from "node:test";
import { generateSync } from "otplib";
import type { Browser, Page } from "playwright-core";
import {
  accessProblems,
  openBrowser,
  openClub,
  password,
  signIn,
  signUp,
  skip,
  visit,
  type Club,
} from "./people-scene.ts";

const heading = (page: Page, name: string | RegExp) =>
  page.getByRole("heading", { level: 1, name });
const press = (page: Page, name: string | RegExp) =>
  page.getByRole("button", { name, exact: typeof name === "string" }).click();

/** Pages that were met on the way, by heading and path: they are looked at in the end, once each. */
const met = new Map<string, string>();

async function look(page: Page, title: string | RegExp): Promise<void> {
  await heading(page, title).waitFor();
  const shown = await page.locator("h1").textContent();
  const problem = (await page.getByRole("alert").count()) > 0 ? " with a problem" : "";
  const path = new URL(page.url()).pathname.replaceAll(/\/org_\w+/gv, "/:id");
  const name = `${shown} at ${path}${problem}`;
  if (!met.has(name)) met.set(name, await page.content());
}

function codeOf(secret: string, stepsAhead = 0): string {
  return generateSync({ secret, epoch: Math.floor(Date.now() / 1_000) + 30 * stepsAhead });
}

test("the pages, without a script", { skip, concurrency: 3 }, async (context) => {
  const club = await openClub(context);
  const browser = await openBrowser(context);
  const ways: Readonly<Record<string, (club: Club, browser: Browser) => Promise<void>>> = {
    "signing up, in, out and setting a new password": signsUpAndIn,
    "a second step: set up, asked for, a recovery code, turned off": hasSecondStep,
    "links and codes by e-mail, and a new address": comesByMail,
    "an organisation: made, invited into, joined, left": hasOrganisation,
    "sessions, keys, what happened, and proving again": keepsAccount,
    "another system asks who one is": consents,
  };
  await Promise.all(
    Object.entries(ways).map(([name, goes]) => context.test(name, () => goes(club, browser))),
  );
  await context.test("axe finds nothing in any of them", async () => {
    const inspector = await browser.newPage();
    assert.ok(met.size >= 30, `${met.size} pages were met`);
    for (const [name, html] of met) {
      assert.deepEqual(await accessProblems(inspector, html), [], name);
    }
  });
});

const scriptless = { javaScriptEnabled: false } as const;

async function signsUpAndIn(club: Club, browser: Browser): Promise<void> {
  const { page, mistakes } = await visit(browser, scriptless);
  await page.goto(`${club.url}/auth/account?tab=1`);
  await look(page, "Sign in");
  assert.match(page.url(), /\/auth\/sign-in\?next=%2Fauth%2Faccount%3Ftab%3D1$/);
  await page.getByRole("link", { name: "Sign up" }).click();
  await look(page, "Sign up");

  // What is wrong is said, and what was typed stays; but never the password.
  await page.getByLabel("Name").fill("Ada");
  await page.getByLabel("Plan").selectOption("gold");
  await page.getByLabel("E-mail address").fill("ada@example.com");
  await page.getByLabel("Password").fill("password1234");
  await press(page, "Sign up");
  await page
    .getByRole("alert")
    .getByText(/password/i)
    .waitFor();
  assert.equal(await page.getByLabel("Name").inputValue(), "Ada");
  assert.equal(await page.getByLabel("Plan").inputValue(), "gold");
  assert.equal(await page.getByLabel("Password").inputValue(), "");
  await look(page, "Sign up");
  await page.getByLabel("Password").fill(password);
  await press(page, "Sign up");
  await look(page, "Look into your mail");

  const link = await club.link("ada@example.com", "verify-email");
  await page.goto(link);
  await look(page, "Confirm your e-mail address");
  assert.equal(await page.getByLabel("Password").count(), 0, "this browser is known");
  await press(page, "Confirm");
  await look(page, "Your account");
  assert.match(page.url(), /\/auth\/account\?tab=1$/, "where the way began");
  await page.goto(link);
  await press(page, "Confirm");
  await page.getByRole("alert").waitFor();
  await look(page, "Confirm your e-mail address");

  await page.goto(`${club.url}/auth/account`);
  await press(page, "Sign out");
  await heading(page, "Sign in").waitFor();
  await signIn(club, page, "ada@example.com", "wrong");
  await page.getByRole("alert").waitFor();
  assert.equal(await page.getByLabel("E-mail address").inputValue(), "ada@example.com");
  await page.getByRole("link", { name: "Forgotten?" }).click();
  await look(page, "Set a new password");
  await page.getByLabel("E-mail address").fill("ada@example.com");
  await press(page, "Send the link");
  await heading(page, "Look into your mail").waitFor();
  await page.goto(await club.link("ada@example.com", "reset-password"));
  await look(page, "Set a new password");
  await page.getByLabel("New password").fill("eight small boats at dusk");
  await press(page, "Set the password");
  await heading(page, "Your account").waitFor();
  await press(page, "Sign out");
  await signIn(club, page, "ada@example.com", "eight small boats at dusk");
  await heading(page, "Your account").waitFor();
  assert.deepEqual(mistakes, []);
}

async function hasSecondStep(club: Club, browser: Browser): Promise<void> {
  const { page, mistakes } = await visit(browser, scriptless);
  await signUp(club, page, "bea@example.com", "Bea");
  await page.goto(`${club.url}/auth/security`);
  await look(page, "Security");
  await press(page, "Set it up");
  await look(page, "Set up the second step");
  const secret = ((await page.locator("code").textContent()) ?? "").replaceAll(" ", "");
  await page.getByLabel("Code", { exact: true }).fill("000000");
  await press(page, "Turn it on");
  await page.getByRole("alert").waitFor();
  await page.getByLabel("Code", { exact: true }).fill(codeOf(secret));
  await press(page, "Turn it on");
  await look(page, "Your recovery codes");
  const recovery = await page.locator("ul.codes li").allTextContents();
  assert.ok(recovery.length >= 8);
  await page.getByRole("link", { name: "I have kept them" }).click();
  await look(page, "Security");

  await page.goto(`${club.url}/auth/sign-out`);
  await press(page, "Sign out");
  await signIn(club, page, "bea@example.com");
  await look(page, "Second step");
  await page.getByLabel("Code", { exact: true }).fill("000000");
  await press(page, "Sign in");
  await page.getByRole("alert").waitFor();
  await look(page, "Second step");
  await page.getByLabel("Code", { exact: true }).fill(codeOf(secret, 1));
  await press(page, "Sign in");
  await heading(page, "Your account").waitFor();

  await press(page, "Sign out");
  await signIn(club, page, "bea@example.com");
  await page.getByRole("link", { name: "Use a recovery code" }).click();
  await look(page, "Second step");
  await page.getByLabel("Recovery code").fill(recovery[0] ?? "");
  await press(page, "Sign in");
  await heading(page, "Your account").waitFor();
  await page.goto(`${club.url}/auth/security`);
  await page.getByText(`${recovery.length - 1} recovery codes are left`).waitFor();
  await press(page, "Turn it off");
  await page.getByText("The second step is off.").waitFor();
  assert.deepEqual(mistakes, []);
}

async function comesByMail(club: Club, browser: Browser): Promise<void> {
  const { page, mistakes } = await visit(browser, scriptless);
  await signUp(club, page, "cleo@example.com", "Cleo");
  await press(page, "Sign out");

  await page.goto(`${club.url}/auth/sign-in?next=%2Fauth%2Fsessions`);
  await page.getByRole("link", { name: "E-mail me a link" }).click();
  await look(page, "Sign in by e-mail");
  await page.getByLabel("E-mail address").fill("cleo@example.com");
  await press(page, "Send the link");
  await heading(page, "Look into your mail").waitFor();
  await page.goto(await club.link("cleo@example.com", "magic-link"));
  await look(page, "Sign in");
  await press(page, "Sign in");
  await look(page, "Where you are signed in");

  await page.goto(`${club.url}/auth/sign-out`);
  await press(page, "Sign out");
  await page.goto(`${club.url}/auth/email-code`);
  await look(page, "Sign in with a code");
  await page.getByLabel("E-mail address").fill("cleo@example.com");
  await press(page, "Send the code");
  await look(page, "Enter the code");
  const { text } = await club.mail("cleo@example.com", "email-code");
  await page
    .getByLabel("Code", { exact: true })
    .fill(/^\s*(\d[\d ]+\d)\s*$/mv.exec(text)?.[1] ?? text);
  await press(page, "Sign in");
  await heading(page, "Your account").waitFor();

  await page.getByLabel("New e-mail address").fill("cleo.new@example.com");
  await press(page, "Change");
  await look(page, "Look into your mail");
  await page.goto(await club.link("cleo.new@example.com", "change-email"));
  await look(page, "Confirm your new e-mail address");
  await press(page, "Confirm");
  await page.getByText("cleo.new@example.com").waitFor();
  await club.mail("cleo@example.com", "email-changed");
  assert.deepEqual(mistakes, []);
}

async function hasOrganisation(club: Club, browser: Browser): Promise<void> {
  const [owner, guest] = [await visit(browser, scriptless), await visit(browser, scriptless)];
  await signUp(club, owner.page, "dora@example.com", "Dora");
  const { page } = owner;
  await page.goto(`${club.url}/auth/orgs`);
  await look(page, "Organisations");
  await page.getByLabel("Name", { exact: true }).fill("<img src=x onerror=alert(1)> & Sons");
  await page.getByLabel("Short name").fill("sons");
  await press(page, "Make it");
  await look(page, "<img src=x onerror=alert(1)> & Sons");
  await page.getByLabel("Invite by e-mail").fill("emil@example.com");
  await press(page, "Invite");
  await page.getByText("member · until").waitFor();
  await look(page, /& Sons$/);
  const address = page.url();

  const link = await club.link("emil@example.com", "invitation");
  await guest.page.goto(link);
  await heading(guest.page, "Sign in").waitFor();
  await signUp(club, guest.page, "emil@example.com", "Emil");
  await guest.page.goto(link);
  await look(guest.page, "You are invited");
  await press(guest.page, "Join");
  await heading(guest.page, "Organisations").waitFor();
  await guest.page.goto(address);
  await look(guest.page, /& Sons$/);

  await page.goto(address);
  await page.getByText("emil@example.com · member").waitFor();
  await page.getByLabel("Role of Emil").selectOption("admin");
  await press(page, "Change the role of Emil");
  await page.getByText("emil@example.com · admin").waitFor();
  await guest.page.goto(address);
  await press(guest.page, "Leave");
  await heading(guest.page, "Organisations").waitFor();
  await guest.page.goto(address);
  await look(guest.page, "This did not work");
  assert.deepEqual([...owner.mistakes, ...guest.mistakes], []);
}

async function keepsAccount(club: Club, browser: Browser): Promise<void> {
  const { page, mistakes } = await visit(browser, scriptless);
  await signUp(club, page, "finn@example.com", "Finn");
  const other = await visit(browser, scriptless);
  await signIn(club, other.page, "finn@example.com");
  await heading(other.page, "Your account").waitFor();

  await page.goto(`${club.url}/auth/sessions`);
  await look(page, "Where you are signed in");
  assert.equal(await page.locator("ul.rows li").count(), 2);
  await press(page, "End all others");
  await page.getByText("(this one)").waitFor();
  assert.equal(await page.locator("ul.rows li").count(), 1);
  await other.page.goto(`${club.url}/auth/account`);
  await heading(other.page, "Sign in").waitFor();

  await page.goto(`${club.url}/auth/keys`);
  await look(page, "Keys");
  await page.getByLabel("What it is for").fill("<script>robot</script>");
  await press(page, "Make a key");
  await look(page, "Your new key");
  const key = (await page.locator("code").textContent()) ?? "";
  const authorization = `Bearer ${key}`;
  const asked = await fetch(`${club.url}/auth/me`, { headers: { authorization } });
  assert.match(await asked.text(), /finn@example\.com/);
  await page.goto(`${club.url}/auth/keys`);
  await look(page, "Keys");
  await press(page, /^Delete/);
  await page.getByText("None yet.").waitFor();

  await page.goto(`${club.url}/auth/events`);
  await look(page, "What happened");
  await page.getByText("Key made").waitFor();

  await page.goto(`${club.url}/auth/confirm?next=%2Fauth%2Fkeys`);
  await look(page, "Is it you?");
  await page.getByLabel("Password").fill("no");
  await press(page, "Go on");
  await page.getByRole("alert").waitFor();
  await press(page, "E-mail me a code");
  await page.getByLabel("Code from your mail").waitFor();
  await look(page, "Is it you?");
  const { text } = await club.mail("finn@example.com", "email-code");
  await page
    .getByLabel("Code from your mail")
    .fill(/^\s*(\d[\d ]+\d)\s*$/mv.exec(text)?.[1] ?? text);
  await press(page, "Go on");
  await heading(page, "Keys").waitFor();
  assert.deepEqual([...mistakes, ...other.mistakes], []);
}

async function consents(club: Club, browser: Browser): Promise<void> {
  const { page, mistakes } = await visit(browser, scriptless);
  await signUp(club, page, "gil@example.com", "Gil");
  const query = new URLSearchParams({
    ...{ client_id: "kiosk", response_type: "code", scope: "openid email", state: "s-1" },
    redirect_uri: "https://kiosk.example/back",
    ...{
      code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
      code_challenge_method: "S256",
    },
  });
  const back: string[] = [];
  await page.context().route("https://kiosk.example/**", async (route) => {
    back.push(route.request().url());
    await route.fulfill({ contentType: "text/html", body: "<h1>The kiosk</h1>" });
  });
  const ask = `${club.url}/auth/oidc/authorize?${query.toString()}`;
  await page.goto(ask);
  await look(page, "Sign in to The Kiosk");
  await press(page, "Don’t allow");
  await heading(page, "The kiosk").waitFor();
  assert.match(back.at(-1) ?? "", /error=access_denied.*state=s-1|state=s-1.*error=access_denied/);
  await page.goto(ask);
  await press(page, "Allow");
  await heading(page, "The kiosk").waitFor();
  assert.match(back.at(-1) ?? "", /[?&]code=/);
  await page.goto(`${club.url}/auth/security`);
  await press(page, "Remove The Kiosk");
  await page.getByText("That system has no access any more.").waitFor();
  assert.deepEqual(mistakes, []);
}
