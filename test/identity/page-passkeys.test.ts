// What only scripts can do on the pages: passkeys, with Chromium's own authenticator. And the mailbox of a development
// server, where whoever tries an app out follows its letters.
import assert from "node:assert/strict";
import { test } from "node:test";
import { accessProblems, openBrowser, openClub, signUp, skip, visit } from "./people-scene.ts";

test(
  "a passkey is made, signs in, proves who one is, and is removed",
  { skip },
  async (context) => {
    const club = await openClub(context);
    const browser = await openBrowser(context);
    const { page, mistakes } = await visit(browser);
    const devtools = await page.context().newCDPSession(page);
    await devtools.send("WebAuthn.enable");
    await devtools.send("WebAuthn.addVirtualAuthenticator", {
      options: {
        ...{ protocol: "ctap2", transport: "internal", automaticPresenceSimulation: true },
        ...{ hasResidentKey: true, hasUserVerification: true, isUserVerified: true },
      },
    });
    await signUp(club, page, "ada@example.com");
    await page.goto(`${club.url}/auth/security`);
    await page.getByLabel("Name of a new passkey").fill("<b>Laptop</b>");
    await page.getByRole("button", { name: "Add a passkey" }).click();
    await page.getByText("<b>Laptop</b>").first().waitFor();
    assert.deepEqual(await accessProblems(await browser.newPage(), await page.content()), []);

    await page.goto(`${club.url}/auth/account`);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.goto(`${club.url}/auth/sign-in?next=%2Fauth%2Fsessions`);
    await page.getByRole("button", { name: "Sign in with a passkey" }).click();
    await page.getByRole("heading", { name: "Where you are signed in" }).waitFor();
    await page.goto(`${club.url}/auth/confirm?next=%2Fauth%2Fsecurity`);
    await page.getByRole("button", { name: "Use a passkey" }).click();
    await page.getByRole("heading", { name: "Security" }).waitFor();
    await page.getByRole("button", { name: /^Remove/ }).click();
    await page.getByText("The passkey is removed.").waitFor();

    // The authenticator still has it; the server does not know it any more.
    await page.goto(`${club.url}/auth/sign-out`);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("button", { name: "Sign in with a passkey" }).click();
    await page.getByRole("alert").waitFor();
    assert.deepEqual(mistakes, []);
  },
);

test(
  "the mailbox shows what was sent, and a letter's own markup does nothing there",
  { skip },
  async (context) => {
    const club = await openClub(context);
    const browser = await openBrowser(context);
    const { page, mistakes } = await visit(browser);
    await page.goto(`${club.url}/_/mail`);
    await page.getByText("Nothing was sent since this server started.").waitFor();
    await page.goto(`${club.url}/auth/sign-up`);
    await page.getByLabel("E-mail address").fill("ada@example.com");
    await page.getByLabel("Password").fill("seven small boats at dawn");
    await page.getByRole("button", { name: "Sign up" }).click();
    await page.getByRole("heading", { name: "Look into your mail" }).waitFor();
    await page.goto(`${club.url}/_/mail`);
    await page.getByRole("link", { name: "Confirm your e-mail address for The Club <b>&" }).click();
    const frame = page.frameLocator("iframe");
    await frame.getByText(/gave this address to The Club <b>&/).waitFor();
    const inspector = await browser.newPage();
    assert.deepEqual(await accessProblems(inspector, await page.content()), []);
    await page.locator("pre a").click();
    await page.getByRole("heading", { name: "Confirm your e-mail address" }).waitFor();
    assert.deepEqual(mistakes, []);
  },
);
