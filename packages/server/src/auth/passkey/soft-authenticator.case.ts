// For tests: an authenticator of a few lines whose every answer can be made to lie, correctly signed (WebAuthn Level 3,
// 6 and 8.7). That real browsers get on with us is shown by passkey-browser.test.ts.
import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from "node:crypto";
import type { Json } from "../../base/json.ts";

/** What an answer says; whatever is given stands in the place of the truth. */
export interface SoftAnswer {
  readonly origin?: string;
  readonly type?: string;
  readonly challenge?: string;
  readonly rpId?: string;
  /** User present 1, verified 4, backup eligible 8, backed up 16, attested 64. */
  readonly flags?: number;
  readonly counter?: number;
  readonly userHandle?: string | null;
  readonly crossOrigin?: boolean;
  readonly attestation?: { readonly fmt: string; readonly attStmt: Buffer };
}

const present = 1;
const verified = 4;
const attested = 64;

/** A key in somebody's pocket. */
export class SoftAuthenticator {
  readonly id = randomBytes(32);
  readonly #origin: string;
  readonly #key: KeyObject;
  readonly #cose: Buffer;
  /** The user's id, as it was told. */
  user = "";

  constructor(origin: string) {
    this.#origin = origin;
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    this.#key = privateKey;
    const { x = "", y = "" } = publicKey.export({ format: "jwk" });
    this.#cose = Buffer.concat([
      // {1: 2 (EC2), 3: -7 (ES256), -1: 1 (P-256), -2: x, -3: y}
      Buffer.from("a5010203262001215820", "hex"),
      Buffer.from(x, "base64url"),
      Buffer.from("225820", "hex"),
      Buffer.from(y, "base64url"),
    ]);
  }

  /** `navigator.credentials.create(...).toJSON()`. @param options of the server. */
  register(options: Json, lie: SoftAnswer = {}): Json {
    const { challenge, user } = options as { challenge: string; user: { id: string } };
    this.user = user.id;
    const data = this.#authenticatorData(lie, present | verified | attested);
    const idBytes = Buffer.alloc(2);
    idBytes.writeUInt16BE(this.id.length);
    const authData = Buffer.concat([data, Buffer.alloc(16), idBytes, this.id, this.#cose]);
    const { fmt, attStmt } = lie.attestation ?? { fmt: "none", attStmt: Buffer.from("a0", "hex") };
    const attestationObject = Buffer.concat([
      Buffer.from("a3", "hex"),
      text("fmt"),
      text(fmt),
      text("attStmt"),
      attStmt,
      text("authData"),
      bytes(authData),
    ]);
    const clientDataJSON = this.#clientData(lie, "webauthn.create", challenge);
    return this.#answer({
      clientDataJSON: clientDataJSON.toString("base64url"),
      attestationObject: attestationObject.toString("base64url"),
      transports: ["internal"],
    });
  }

  /** `navigator.credentials.get(...).toJSON()`. */
  signIn(options: Json, lie: SoftAnswer = {}): Json {
    const { challenge } = options as { challenge: string };
    const authenticatorData = this.#authenticatorData(lie, present | verified);
    const clientDataJSON = this.#clientData(lie, "webauthn.get", challenge);
    const digest = createHash("sha256").update(clientDataJSON).digest();
    const signed = Buffer.concat([authenticatorData, digest]);
    return this.#answer({
      clientDataJSON: clientDataJSON.toString("base64url"),
      authenticatorData: authenticatorData.toString("base64url"),
      signature: sign("sha256", signed, this.#key).toString("base64url"),
      userHandle: lie.userHandle === undefined ? this.user : lie.userHandle,
    });
  }

  #authenticatorData({ rpId, flags, counter }: SoftAnswer, usual: number): Buffer {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(counter ?? 0);
    const name = rpId ?? new URL(this.#origin).hostname;
    const digest = createHash("sha256").update(name).digest();
    return Buffer.concat([digest, Buffer.from([flags ?? usual]), count]);
  }

  #clientData(lie: SoftAnswer, type: string, challenge: string): Buffer {
    const { crossOrigin = false } = lie;
    const said = {
      type: lie.type ?? type,
      challenge: lie.challenge ?? challenge,
      origin: lie.origin ?? this.#origin,
      crossOrigin,
    };
    return Buffer.from(JSON.stringify(said));
  }

  #answer(response: { readonly [name: string]: Json }): Json {
    const id = this.id.toString("base64url");
    return { id, rawId: id, type: "public-key", response, clientExtensionResults: {} };
  }
}

function text(value: string): Buffer {
  return Buffer.concat([Buffer.from([0x60 + value.length]), Buffer.from(value)]);
}

function bytes(value: Buffer): Buffer {
  const head = Buffer.from([0x59, 0, 0]);
  head.writeUInt16BE(value.length, 1);
  return Buffer.concat([head, value]);
}
