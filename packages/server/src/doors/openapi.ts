// The OpenAPI 3.1 document of an app, from its manifest alone: what can be reached from outside and nothing
// else. It names no private field, no function that allows nobody, no table without a rule.
import { limits } from "../base/limits.ts";
import type { Json } from "../base/json.ts";
import type { Manifest } from "../model/manifest.ts";
import { functionPath, isReachable, type PathNames } from "./openapi-function.ts";
import {
  idempotencyKey,
  jsonBody,
  openSecurity,
  responses,
  sharedComponents,
  sharedSchemas,
  type OpenApiPart,
} from "./openapi-parts.ts";
import { reachOf, tablePaths, tableSchemas } from "./openapi-table.ts";

/** Makes the document. @returns JSON that shares nothing with the manifest that could change. */
export function openApiOf(manifest: Manifest): OpenApiPart {
  const paths: Record<string, Json> = {};
  const names: PathNames = new Map();
  const schemas: Record<string, Json> = { ...sharedSchemas };
  for (const model of Object.values(manifest.functions)) {
    if (!isReachable(model)) continue;
    const [path, item] = functionPath(model, names);
    paths[path] = { ...(paths[path] as OpenApiPart | undefined), ...item };
  }
  for (const model of Object.values(manifest.tables)) {
    const reach = reachOf(model);
    if (reach === null) continue;
    Object.assign(schemas, tableSchemas(model, reach));
    Object.assign(paths, tablePaths(model, reach));
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "A Keelson app",
      version: manifest.hash.slice(0, 12),
      description:
        "Made from the app's own definition. `/api/batch` takes several steps in one transaction.",
    },
    jsonSchemaDialect: "https://json-schema.org/draft/2020-12/schema",
    servers: [{ url: "/" }],
    paths: { ...paths, "/api/batch": { post: batchOperation() } },
    components: { schemas, ...sharedComponents },
  };
}

function batchOperation(): OpenApiPart {
  return {
    operationId: "batch",
    tags: ["batch"],
    summary: "Does several things in one transaction: all of them or none.",
    security: openSecurity,
    parameters: [idempotencyKey],
    requestBody: jsonBody(
      {
        type: "object",
        properties: {
          steps: {
            type: "array",
            minItems: 1,
            maxItems: limits.batchStepsMax,
            items: { oneOf: stepSchemas() },
          },
        },
        required: ["steps"],
        additionalProperties: false,
      },
      null,
    ),
    responses: responses(
      "200",
      "The answer of each step, in order.",
      { type: "array", items: {} },
      {
        written: true,
      },
    ),
  };
}

function stepSchemas(): readonly Json[] {
  const text = { type: "string" };
  const object = { type: "object" };
  return [
    step({ call: text }, { args: object }),
    step({ list: text }, { query: object }),
    step({ get: text, id: text }, { query: object }),
    step({ create: text, value: object }, {}),
    step({ update: text, id: text, value: object }, {}),
    step({ delete: text, id: text }, {}),
  ];
}

function step(needed: OpenApiPart, possible: OpenApiPart): OpenApiPart {
  return {
    type: "object",
    properties: { ...needed, ...possible },
    required: Object.keys(needed),
    additionalProperties: false,
  };
}
