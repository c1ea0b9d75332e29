// What all operations of an OpenAPI document share: errors, headers, parameters, ways to sign in.
import { errorCodes } from "../base/error-codes.ts";
import type { Json } from "../base/json.ts";

/** A piece of a document. */
export type OpenApiPart = { readonly [key: string]: Json };

/** Schemas that every document has. A table's name has no dot, so none of these is a table's. */
export const sharedSchemas: OpenApiPart = {
  "http.problem": {
    type: "object",
    description:
      "An error, as of RFC 9457. Tell errors apart by `code`: codes are for ever, texts may change.",
    properties: {
      type: { type: "string", format: "uri-reference" },
      title: { type: "string" },
      status: { type: "integer", minimum: 400, maximum: 599 },
      detail: { type: "string" },
      code: { type: "string", enum: Object.keys(errorCodes) },
      details: {
        type: "object",
        description: "What a program can use, such as `issues`: a list of `{ path, problem }`.",
      },
      requestId: { type: "string" },
    },
    required: ["type", "title", "status", "detail", "code", "requestId"],
  },
};

/** Components besides the schemas of tables. */
export const sharedComponents: OpenApiPart = {
  responses: {
    "http.problem": {
      description: "The request was refused or failed.",
      headers: {
        "X-Request-Id": { $ref: "#/components/headers/X-Request-Id" },
        "Retry-After": { $ref: "#/components/headers/Retry-After" },
      },
      content: {
        "application/problem+json": { schema: { $ref: "#/components/schemas/http.problem" } },
      },
    },
  },
  headers: {
    "X-Request-Id": { description: "Names this request.", schema: { type: "string" } },
    RateLimit: {
      description: 'What is left of the tightest limit: `"user";r=99;t=1`.',
      schema: { type: "string" },
    },
    "RateLimit-Policy": {
      description: 'The tightest limit: `"user";q=100;w=60` is 100 requests in 60 seconds.',
      schema: { type: "string" },
    },
    "Retry-After": {
      description: "Seconds to wait, with 429 and 503.",
      schema: { type: "integer" },
    },
    "Idempotency-Replayed": {
      description: "`true` when an earlier answer was given again.",
      schema: { type: "string", enum: ["true"] },
    },
    Location: { description: "The new row.", schema: { type: "string" } },
  },
  parameters: {
    "Idempotency-Key": {
      name: "Idempotency-Key",
      in: "header",
      description: "A repeat with the same key gets the first answer, for 24 hours.",
      schema: { type: "string", minLength: 1, maxLength: 255, pattern: "^[!-~]+$" },
    },
  },
  securitySchemes: {
    bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT" },
  },
};

/** The parameter that every write takes. */
export const idempotencyKey: OpenApiPart = { $ref: "#/components/parameters/Idempotency-Key" };

/** Nobody needs to sign in, and whoever did may see more. */
export const openSecurity: readonly OpenApiPart[] = [{}, { bearer: [] }];

/** Only for those who signed in. */
export const signedInSecurity: readonly OpenApiPart[] = [{ bearer: [] }];

/** The responses of an operation: one that went well, and any problem. */
export function responses(
  status: "200" | "201",
  description: string,
  schema: Json,
  extra: { readonly written?: boolean; readonly example?: Json } = {},
): OpenApiPart {
  const names = ["X-Request-Id", "RateLimit", "RateLimit-Policy"];
  if (extra.written === true) names.push("Idempotency-Replayed");
  if (status === "201") names.push("Location");
  const headers = Object.fromEntries(
    names.map((name) => [name, { $ref: `#/components/headers/${name}` }]),
  );
  const { example } = extra;
  const media = { schema, ...(example === undefined ? {} : { example }) };
  return {
    [status]: { description, headers, content: { "application/json": media } },
    default: { $ref: "#/components/responses/http.problem" },
  };
}

/** A JSON body that must be sent. */
export function jsonBody(schema: Json, example: Json | null): OpenApiPart {
  const media = { schema, ...(example === null ? {} : { example }) };
  return { required: true, content: { "application/json": media } };
}
