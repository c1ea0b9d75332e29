// For tests: an identity provider that lies when it is told to. It speaks just enough of OpenID Connect that only the
// lie is wrong; the one that is true, and not ours, is npm's oidc-provider (foreign-real.test.ts).
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from "jose";
import type { OpenIdProvider } from "../../model/auth-model.ts";
import type { AuthFetch } from "../auth-desk.ts";
import {
  openProtocolScene,
  type ProtocolScene,
  type SceneAnswer,
  type SceneBrowser,
  type SceneOptions,
} from "../protocol-scene.case.ts";

export const issuer = "https://id.example";
export const clientId = "our-client";
export const clientSecret = "what only we two know: 100% + 1";

type Claims = Readonly<Record<string, unknown>>;

/** What is wrong this time. */
export interface StubLie {
  /** Claims that stand in the place of the true ones; undefined takes one out. */
  readonly claims?: Claims;
  /** Makes the token in its own way. */
  readonly token?: (stub: ForeignStub, claims: Claims) => Promise<string | undefined>;
  readonly userinfo?: Claims;
  readonly document?: Claims;
}

type KeyPair = Awaited<ReturnType<typeof generateKeyPair>>;

/** The provider. */
export class ForeignStub {
  readonly #scene: () => ProtocolScene;
  /** The key that is published, and its id. */
  pair: KeyPair;
  kid = "k1";
  lie: StubLie = {};
  /** By code: what was asked for it. */
  readonly #asked = new Map<string, { readonly nonce: string; readonly challenge: string }>();
  /** Every address that was fetched. */
  readonly fetched: string[] = [];
  #codes = 0;

  private constructor(pair: KeyPair, scene: () => ProtocolScene) {
    this.pair = pair;
    this.#scene = scene;
  }

  static async open(scene: () => ProtocolScene): Promise<ForeignStub> {
    return new ForeignStub(await newPair(), scene);
  }

  get nowSeconds(): number {
    return Math.floor(this.#scene().clock.ms / 1_000);
  }

  /** Somebody signs in there: the code that comes back. @param location where the browser was sent. */
  codeFor(location: string): { readonly code: string; readonly state: string } {
    const query = new URL(location).searchParams;
    const code = `code-${++this.#codes}`;
    assert.equal(query.get("code_challenge_method"), "S256");
    this.#asked.set(code, {
      nonce: query.get("nonce") ?? "",
      challenge: query.get("code_challenge") ?? "",
    });
    return { code, state: query.get("state") ?? "" };
  }

  sign(
    claims: Claims,
    {
      key = this.pair.privateKey,
      kid = this.kid,
    }: { readonly key?: KeyPair["privateKey"]; readonly kid?: string } = {},
  ): Promise<string> {
    return new SignJWT({ ...claims }).setProtectedHeader({ alg: "ES256", kid }).sign(key);
  }

  async publicPem(): Promise<string> {
    return exportSPKI(this.pair.publicKey);
  }

  readonly fetch: AuthFetch = async (url, init) => {
    this.fetched.push(url);
    assert.equal(init?.redirect, "manual");
    const { pathname } = new URL(url);
    switch (pathname) {
      case "/.well-known/openid-configuration":
        return Response.json({ ...document, ...this.lie.document });
      case "/keys": {
        const key = { ...(await exportJWK(this.pair.publicKey)), kid: this.kid, alg: "ES256" };
        return Response.json({ keys: [key] });
      }
      case "/token":
        return this.#token(init ?? {});
      case "/userinfo":
        return Response.json({ sub: "ann-there", ...this.lie.userinfo });
      default:
        return new Response("there is nothing", { status: 404 });
    }
  };

  async #token(init: RequestInit): Promise<Response> {
    const form = new URLSearchParams(String(init.body));
    const headers = init.headers as Record<string, string>;
    const basic = new URLSearchParams([
      [clientId, ""],
      [clientSecret, ""],
    ])
      .toString()
      .split("=&")
      .map((part) => part.replace(/=$/v, ""))
      .join(":");
    assert.equal(headers["authorization"], `Basic ${Buffer.from(basic).toString("base64")}`);
    const asked = this.#asked.get(form.get("code") ?? "");
    const digest = createHash("sha256").update(form.get("code_verifier") ?? "");
    if (asked === undefined || digest.digest("base64url") !== asked.challenge) {
      return Response.json({ error: "invalid_grant" }, { status: 400 });
    }
    this.#asked.delete(form.get("code") ?? "");
    const { claims = {}, token } = this.lie;
    const truth = {
      iss: issuer,
      aud: clientId,
      sub: "ann-there",
      nonce: asked.nonce,
      iat: this.nowSeconds,
      exp: this.nowSeconds + 300,
      email: "ann@example.com",
      email_verified: true,
      name: "Ann",
    };
    const said = Object.fromEntries(
      Object.entries({ ...truth, ...claims }).filter(([, value]) => value !== undefined),
    );
    const id_token = await (token ?? ((stub, claims) => stub.sign(claims)))(this, said);
    return Response.json({ access_token: "access", token_type: "Bearer", id_token });
  }
}

const document = {
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
  jwks_uri: `${issuer}/keys`,
  userinfo_endpoint: `${issuer}/userinfo`,
};

/** A key pair of its kind. */
export function newPair(): Promise<KeyPair> {
  return generateKeyPair("ES256", { extractable: true });
}

/** Runs a test with a scene and the provider. */
export async function inForeignScene(
  options: SceneOptions,
  run: (scene: ProtocolScene, stub: ForeignStub) => Promise<void>,
): Promise<void> {
  let opened: ProtocolScene | null = null;
  const stub = await ForeignStub.open(() => {
    assert.ok(opened !== null);
    return opened;
  });
  const provider: OpenIdProvider = {
    kind: "openid",
    issuer,
    clientId,
    secret: "WORK_SECRET",
    scopes: ["email"],
    label: "Work",
    isFormPost: false,
    signer: null,
  };
  const scene = await openProtocolScene({
    secrets: { WORK_SECRET: clientSecret },
    fetch: stub.fetch,
    ...options,
    settings: {
      providers: { work: provider, other: { ...provider, label: "Other" } },
      ...options.settings,
    },
  });
  opened = scene;
  try {
    await run(scene, stub);
    assert.deepEqual(scene.reports, []);
  } finally {
    await scene.close();
  }
}

/** Goes to the provider. @returns where the browser is sent. */
export async function leave(
  scene: ProtocolScene,
  browser: SceneBrowser,
  next = "/tickets",
): Promise<string> {
  const query = new URLSearchParams([["next", next]]).toString();
  const left = await scene.ask(browser, `GET /auth/providers/work/start?${query}`);
  const location = left.location ?? "";
  assert.ok(location.startsWith(`${issuer}/authorize?`), JSON.stringify(left));
  return location;
}

/** Comes back from it. */
export function comeBack(
  scene: ProtocolScene,
  browser: SceneBrowser,
  query: Readonly<Record<string, string>>,
  provider = "work",
): Promise<SceneAnswer> {
  const search = new URLSearchParams(query).toString();
  return scene.ask(browser, `GET /auth/providers/${provider}/callback?${search}`);
}

/** There and back. */
export async function travel(
  scene: ProtocolScene,
  stub: ForeignStub,
  browser: SceneBrowser,
  lie: StubLie = {},
): Promise<SceneAnswer> {
  stub.lie = lie;
  return comeBack(scene, browser, stub.codeFor(await leave(scene, browser)));
}
