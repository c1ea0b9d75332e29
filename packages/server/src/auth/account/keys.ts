// Keys for programs, made by a person in their own name. The key is shown once; a key may do what its person may, or less.
import type { Json } from "../../base/json.ts";
import { PlatformError } from "../../base/platform-error.ts";
import { timeText } from "../../gate/gate-app.ts";
import { isKeyScope } from "../../gate/key-scope.ts";
import { timeOfMs } from "../../model/field-time.ts";
import { findAll } from "../account-find.ts";
import { bodyOf, invalidField, textField } from "../ask-body.ts";
import type { AuthDesk, AuthProcedure } from "../auth-desk.ts";
import { audit, placeOf, type AuthPlace } from "../auth-event.ts";
import type { AuthAnswer, AuthAsk, AuthRoute } from "../auth-route.ts";
import { isStrongSession } from "../caller-build.ts";
import { drawKey } from "../key-text.ts";

const dayMs = 86_400_000;
const daysMax = 3_650;
const scopesMax = 100;

type MakeInput = {
  readonly user: string;
  readonly name: string;
  readonly hint: string;
  readonly digest: string;
  readonly scopes: readonly string[];
  readonly expiresAt: string | null;
  /** Whether the session that makes it has shown a second factor: where a role asks for one, no other key acts. */
  readonly isStrong: boolean;
  readonly place: AuthPlace;
};

/** Keeps a key. */
export const makeKey: AuthProcedure<MakeInput, { readonly id: string }> = {
  name: "auth.makeKey",
  async run(scope, { user, name, hint, digest, scopes, expiresAt, isStrong, place }) {
    const { run, tx } = scope;
    const { authKeysMax } = run.app.limits;
    const keys = await findAll(scope, "authKey", "user", user, authKeysMax);
    if (keys.length >= authKeysMax)
      throw new PlatformError("LIMIT_REACHED", { limit: "authKeysMax", max: authKeysMax });
    const id = run.app.newId("authKey");
    const createdAt = timeText(run.nowMs);
    await tx.insert("authKey", {
      id,
      user,
      name,
      hint,
      digest,
      scopes,
      isStrong,
      createdAt,
      expiresAt,
      lastUsedAt: null,
    });
    await audit(scope, { kind: "keyMade", user, details: { key: id, name }, ...place });
    return { id };
  },
};

type EndInput = { readonly user: string; readonly key: string; readonly place: AuthPlace };

const endKey: AuthProcedure<EndInput, boolean> = {
  name: "auth.endKey",
  async run(scope, { user, key, place }) {
    const row = await scope.tx.get("authKey", key, null);
    if (row === null || row["user"] !== user) return false;
    await scope.tx.delete("authKey", key);
    await audit(scope, {
      kind: "keyEnded",
      user,
      details: { key, name: row["name"] ?? null },
      ...place,
    });
    return true;
  },
};

async function handleMake(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const body = bodyOf(ask, ["name", "scopes", "days"]);
  const key = drawKey(desk.secrets);
  const input: MakeInput = {
    user: ask.caller.id ?? "",
    name: textField(body, "name", 100),
    hint: key.hint,
    digest: key.digest,
    scopes: readScopes(body["scopes"]),
    expiresAt: readDays(body["days"], ask.nowMs),
    isStrong: ask.session !== null && isStrongSession(ask.session),
    place: placeOf(ask),
  };
  const { id } = await desk.run(makeKey, input, ask);
  return { status: 201, json: { id, key: key.text } };
}

/** @throws ARGUMENT_INVALID. */
export function readScopes(value: Json | undefined): readonly string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.length > scopesMax)
    throw invalidField("scopes", "is no list of scopes");
  return (value as readonly Json[]).map((scope, index) => {
    if (typeof scope === "string" && isKeyScope(scope)) return scope;
    throw invalidField(`scopes.${index}`, "is no scope");
  });
}

function readDays(value: Json | undefined, nowMs: number): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= daysMax) {
    return timeOfMs(nowMs + value * dayMs);
  }
  throw invalidField("days", `is no whole number from 1 to ${daysMax}`);
}

async function handleList(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const user = ask.caller.id ?? "";
  const { authKeysMax } = desk.limits;
  const rows = await desk.store.read((tx) => findAll({ tx }, "authKey", "user", user, authKeysMax));
  const keys = rows.map(
    ({ id, name, hint, scopes, isStrong, createdAt, expiresAt, lastUsedAt }) => ({
      id: id ?? null,
      name: name ?? null,
      hint: hint ?? null,
      scopes: scopes ?? [],
      isStrong: isStrong === true,
      createdAt: createdAt ?? null,
      expiresAt: expiresAt ?? null,
      lastUsedAt: lastUsedAt ?? null,
    }),
  );
  return { json: { keys } };
}

async function handleEnd(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const key = ask.params["id"] ?? "";
  const input = { user: ask.caller.id ?? "", key, place: placeOf(ask) };
  if (!(await desk.run(endKey, input, ask))) throw new PlatformError("NOT_FOUND");
  return {};
}

/** Their procedures. */
export const keyProcedures = [makeKey, endKey] as const;

/** Their addresses. */
export const keyRoutes: readonly AuthRoute[] = [
  {
    method: "GET",
    path: "/auth/keys",
    access: "signed-in",
    isOn: ({ keys }) => keys,
    handle: handleList,
  },
  {
    method: "POST",
    path: "/auth/keys",
    access: "fresh",
    isOn: ({ keys }) => keys,
    handle: handleMake,
  },
  {
    method: "DELETE",
    path: "/auth/keys/:id",
    access: "signed-in",
    isOn: ({ keys }) => keys,
    handle: handleEnd,
  },
];
