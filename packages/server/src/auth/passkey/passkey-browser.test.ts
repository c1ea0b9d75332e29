// Chromium and its virtual authenticator, which is not ours: it registers a passkey and signs in with it.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { chromium } from "playwright-core";
import { openProtocolScene, SceneBrowser } from "../protocol-scene.case.ts";
import { sessionCookieName } from "../session-cookie.ts";

const executablePath =
  process.env["CHROMIUM"] ??
  ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
const skip =
  executablePath === undefined && "chromium is not installed (CHROMIUM names it elsewhere)";
const flags = [
  ...["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"],
  ...["--disable-component-update", "--disable-sync"],
];
const authenticator = {
  protocol: "ctap2",
  transport: "internal",
  hasResidentKey: true,
  hasUserVerification: true,
  isUserVerified: true,
  automaticPresenceSimulation: true,
} as const;

/** What the pages do: `use` is `create` or `get`. Text, for it runs over there. @returns the status and the answer. */
function ceremony(use: "create" | "get"): string {
  const [options, answer, parse] =
    use === "create"
      ? ["/auth/passkeys/options", "/auth/passkeys", "parseCreationOptionsFromJSON"]
      : ["/auth/passkeys/sign-in/options", "/auth/passkeys/sign-in", "parseRequestOptionsFromJSON"];
  return `(async () => {
    const post = (path, body) => fetch(path, { method: "POST", body: JSON.stringify(body) });
    const { options } = await (await post("${options}", {})).json();
    let credential;
    try {
      credential = await navigator.credentials.${use}({ publicKey: PublicKeyCredential.${parse}(options) });
    } catch (error) {
      return { status: 0, error: error.name };
    }
    const response = await post("${answer}", { credential: credential.toJSON() });
    return { status: response.status, ...(await response.json()) };
  })()`;
}

interface Outcome {
  readonly status: number;
  readonly error?: string;
  readonly user?: string;
}

test("Chromium registers a passkey and signs in with it", { skip }, async () => {
  const scene = await openProtocolScene();
  const browser = await chromium.launch({ executablePath: executablePath ?? "", args: flags });
  try {
    const context = await browser.newContext();
    const page = await context.newPage();
    const devTools = await context.newCDPSession(page);
    await devTools.send("WebAuthn.enable");
    await devTools.send("WebAuthn.addVirtualAuthenticator", { options: authenticator });
    const ann = new SceneBrowser();
    const { user } = await scene.comeIn(ann, { email: "ann@example.com" });
    const value = ann.jar.get(sessionCookieName) ?? "";
    await context.addCookies([{ name: sessionCookieName, value, url: scene.url }]);
    await page.goto(`${scene.url}/page`);
    const does = (use: "create" | "get") => page.evaluate<Outcome>(ceremony(use));
    assert.equal((await does("create")).status, 201);
    // It knows that it has one here: the same authenticator makes no second.
    assert.deepEqual(await does("create"), { status: 0, error: "InvalidStateError" });
    await context.clearCookies();
    assert.equal((await page.request.get(`${scene.url}/auth/passkeys`)).status(), 401);
    const signedIn = await does("get");
    assert.deepEqual([signedIn.status, signedIn.user], [200, user]);
    assert.equal((await page.request.get(`${scene.url}/auth/passkeys`)).status(), 200);
    // Its counter counts, and is kept.
    const [before] = await scene.rows("authPasskey");
    assert.equal((await does("get")).status, 200);
    const [after] = await scene.rows("authPasskey");
    assert.ok((after?.["counter"] as number) > (before?.["counter"] as number));
    assert.deepEqual(scene.reports, []);
  } finally {
    await browser.close();
    await scene.close();
  }
});
