// The part of an OpenAPI document that is about functions: calls by name, and http functions where they are
// mounted. A function that allows nobody is not there.
import type { Json } from "../base/json.ts";
import { fieldExample, recordExample } from "../model/field-example.ts";
import { fieldSchema, recordSchema } from "../model/field-schema.ts";
import type { FunctionModel } from "../model/manifest.ts";
import {
  idempotencyKey,
  jsonBody,
  openSecurity,
  responses,
  signedInSecurity,
  type OpenApiPart,
} from "./openapi-parts.ts";

/** Whether anybody outside may call it. */
export function isReachable(model: FunctionModel): boolean {
  return model.allow !== "nobody";
}

/** Names of the parameters of a mounted path, by its shape: OpenAPI takes one path of each shape. */
export type PathNames = Map<string, readonly string[]>;

/** The path of a function, with its one operation. @param names filled by the functions before. */
export function functionPath(
  model: FunctionModel,
  names: PathNames,
): readonly [string, OpenApiPart] {
  if (model.route !== undefined) return mountedPath(model, model.route, names);
  const { name, kind, args, returns } = model;
  const writes = kind !== "query";
  const example =
    returns === undefined || returns.kind === "nothing" ? undefined : fieldExample(returns);
  const operation = {
    ...headOf(model),
    ...(kind === "mutation" ? { parameters: [idempotencyKey] } : {}),
    requestBody: {
      ...jsonBody(recordSchema(args, "args"), recordExample(args)),
      required: Object.values(args).some(isNeeded),
    },
    responses: responses("200", "The result.", resultSchema(returns), {
      written: writes,
      ...(example === undefined ? {} : { example }),
    }),
  };
  return [`/api/fn/${name}`, { post: operation }];
}

function headOf(model: FunctionModel): OpenApiPart {
  const { name, kind, allow } = model;
  const [module = name] = name.split(".");
  return {
    operationId: name,
    tags: [module],
    summary: `${kindWords[kind]} ${name}.`,
    description: `May be called by ${whoMay(allow)}.`,
    security: allow === "anyone" ? openSecurity : signedInSecurity,
  };
}

const kindWords: Readonly<Record<FunctionModel["kind"], string>> = {
  query: "The query",
  mutation: "The mutation",
  action: "The action",
  http: "The http function",
};

function whoMay(allow: FunctionModel["allow"]): string {
  if (typeof allow === "object") return `the role ${allow.role.join(", ")}`;
  return allow === "anyone" ? "anyone" : "whoever is signed in";
}

function isNeeded(spec: FunctionModel["args"][string]): boolean {
  return spec.optional !== true && spec.default === undefined;
}

function resultSchema(returns: FunctionModel["returns"]): Json {
  if (returns === undefined) return {};
  return returns.kind === "nothing" ? { type: "null" } : fieldSchema(returns, "out");
}

/** An http function: its path in OpenAPI's words; what goes in and out is its own business. */
function mountedPath(
  model: FunctionModel,
  route: NonNullable<FunctionModel["route"]>,
  known: PathNames,
): readonly [string, OpenApiPart] {
  const shape = route.path.replace(/(?<=\/)[:*][^/]+/g, "{}");
  const own = Array.from(route.path.matchAll(/(?<=\/)[:*]([^/]+)/g), ([, name = ""]) => name);
  const names = known.get(shape) ?? own;
  known.set(shape, names);
  let next = 0;
  const path = shape.replaceAll("{}", () => `{${names[next++] ?? ""}}`);
  const parameters = names.map((name) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
  const operation = {
    ...headOf(model),
    ...(parameters.length > 0 ? { parameters } : {}),
    responses: { default: { description: "Whatever the function answers." } },
  };
  return [path, { [route.method.toLowerCase()]: operation }];
}
