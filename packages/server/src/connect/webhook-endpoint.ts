// Endpoints: where the app's own webhooks go, added and changed by its functions. A secret is told once, when it is
// made; a replaced one stays good for a day, so that a receiver can change over without losing a delivery.
import type { Json } from "../base/json.ts";
import { andThen, type Later } from "../base/later.ts";
import { PlatformError } from "../base/platform-error.ts";
import { timeText } from "../gate/gate-app.ts";
import type { Procedure, ProcedureScope } from "../gate/gate-app.ts";
import { textProblem } from "../model/field-format.ts";
import { msOfTime } from "../model/field-time.ts";
import type { Page, Row } from "../store/store.ts";
import { endpointUrl } from "./endpoint-url.ts";

/** How long a replaced secret stays good. */
export const oldSecretMs = 86_400_000;

/** How many endpoints are looked at. */
export const endpointsMax = 1_000;

const secretBytes = 24;
const ownerCharsMax = 300;
const typePattern = /^[\w.\-]{1,100}$/v;
const typesMax = 100;

/** `{ url, types?, owner?, form? }`: answers `{ id, secret }`. Without types everything is sent. @throws ENDPOINT_INVALID. */
export const addEndpoint: Procedure = {
  forFunctions: true,
  run(scope, input) {
    const { run, tx } = scope;
    const {
      url = null,
      types = null,
      owner = null,
      form = "standard",
    } = input as { readonly [key: string]: Json };
    const place = endpointUrl(typeof url === "string" ? url : "", privateHostsOf(scope));
    const id = run.app.newId("hookEndpoint");
    const secret = newSecret(scope);
    const row: Row = {
      id,
      url: place.href,
      owner: ownerOf(owner),
      form: formOf(form),
      types: typesOf(types),
      secret,
      oldSecret: null,
      rotatedAt: null,
      isOn: true,
      failures: 0,
      openUntil: null,
      at: timeText(run.nowMs),
    };
    return andThen(tx.insert("hookEndpoint", row), (): Json => ({ id, secret }));
  },
};

/** The endpoints of an owner, or all, oldest first, up to `endpointsMax`. @param owner null: everybody's. */
export function endpointsOf({ tx }: ProcedureScope, owner: string | null): Later<Page> {
  return tx.list(
    {
      kind: "list",
      from: "hookEndpoint",
      ...(owner !== null
        ? { where: { kind: "field", field: "owner", condition: { eq: owner } } as const }
        : {}),
      orderBy: [{ field: "id", descending: false }],
      limit: endpointsMax,
    },
    null,
  );
}

/** `{ id }`. What waits for it is not sent any more. @throws NOT_FOUND. */
export const removeEndpoint: Procedure = {
  forFunctions: true,
  run: (scope, input) =>
    andThen(endpointOf(scope, input), (row) =>
      andThen(scope.tx.delete("hookEndpoint", row["id"] as string), () => null),
    ),
};

/** `{ id, isOn }`: stops deliveries, or takes them up again. @throws NOT_FOUND. */
export const switchEndpoint: Procedure = {
  forFunctions: true,
  run: (scope, input) =>
    andThen(endpointOf(scope, input), (row) => {
      const isOn = (input as { readonly isOn?: Json }).isOn === true;
      const patch = isOn ? { isOn, failures: 0, openUntil: null } : { isOn };
      return andThen(scope.tx.update("hookEndpoint", row["id"] as string, patch), () => null);
    }),
};

/** `{ id }`: answers `{ secret }`, the new one. @throws NOT_FOUND. */
export const rotateSecret: Procedure = {
  forFunctions: true,
  run: (scope, input) =>
    andThen(endpointOf(scope, input), (row) => {
      const secret = newSecret(scope);
      const patch = {
        secret,
        oldSecret: row["secret"] ?? null,
        rotatedAt: timeText(scope.run.nowMs),
      };
      return andThen(scope.tx.update("hookEndpoint", row["id"] as string, patch), (): Json => ({
        secret,
      }));
    }),
};

/** Secrets that a delivery is signed by now, the newest first. */
export function secretsOf(endpoint: Row, nowMs: number): readonly string[] {
  const { secret, oldSecret, rotatedAt } = endpoint;
  const isOldGood =
    typeof oldSecret === "string" &&
    typeof rotatedAt === "string" &&
    nowMs - msOfTime(rotatedAt) < oldSecretMs;
  return isOldGood ? [secret as string, oldSecret] : [secret as string];
}

/** Private hosts that the app lets its endpoints name. */
export function privateHostsOf({ run }: ProcedureScope): readonly string[] {
  return run.app.manifest.work?.webhookHosts ?? [];
}

function endpointOf({ tx }: ProcedureScope, input: Json): Later<Row> {
  const { id } = input as { readonly id?: Json };
  if (typeof id !== "string") throw new PlatformError("ARGUMENT_INVALID", { id: "is no id" });
  return andThen(tx.get("hookEndpoint", id, null), (row) => {
    if (row === null) throw new PlatformError("NOT_FOUND", { endpoint: id.slice(0, 100) });
    return row;
  });
}

function newSecret({ run }: ProcedureScope): string {
  return `whsec_${Buffer.from(run.app.random.bytes(secretBytes)).toString("base64")}`;
}

/** An owner as functions name it. @throws ARGUMENT_INVALID. */
export function ownerOf(owner: Json): string | null {
  if (owner === null) return null;
  const isText = typeof owner === "string" && owner.length <= ownerCharsMax;
  if (isText && textProblem(owner) === null) return owner;
  throw new PlatformError("ARGUMENT_INVALID", { owner: `a text of at most ${ownerCharsMax}` });
}

const forms: readonly Json[] = [
  "standard",
  "cloudevents",
  "cloudevents-binary",
  "cloudevents-batch",
];

function formOf(form: Json): string {
  if (forms.includes(form)) return form as string;
  throw new PlatformError("ARGUMENT_INVALID", { form: `one of ${forms.join(", ")}` });
}

function typesOf(types: Json): readonly string[] {
  if (types === null) return [];
  const isList = Array.isArray(types) && types.length <= typesMax;
  if (isList && types.every((type) => typeof type === "string" && typePattern.test(type))) {
    return types as readonly string[];
  }
  throw new PlatformError("ARGUMENT_INVALID", { types: 'a list of names: ["booking.paid"]' });
}
