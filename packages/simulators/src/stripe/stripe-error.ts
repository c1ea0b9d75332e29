// Errors as Stripe answers them (https://docs.stripe.com/api/errors).

/** A refusal of the API. */
export class StripeError extends Error {
  readonly status: number;
  readonly body: StripeErrorBody;

  constructor(status: number, body: StripeErrorBody) {
    super(body.message);
    this.status = status;
    this.body = body;
  }
}

/** What stands under `error`. */
export interface StripeErrorBody {
  readonly type: "api_error" | "card_error" | "idempotency_error" | "invalid_request_error";
  readonly message: string;
  readonly code?: string;
  readonly decline_code?: string;
  readonly param?: string;
  readonly payment_intent?: object;
}

/** A parameter that is missing or wrong. */
export function badParam(param: string, message: string, code?: string): StripeError {
  const body = { type: "invalid_request_error", message, param } as const;
  return new StripeError(400, code === undefined ? body : { ...body, code });
}

/** An object that is not there. */
export function noSuch(kind: string, id: string): StripeError {
  return new StripeError(404, {
    type: "invalid_request_error",
    code: "resource_missing",
    param: "id",
    message: `No such ${kind}: '${id}'`,
  });
}

/** A step that the object's state does not allow. */
export function wrongState(code: string, message: string): StripeError {
  return new StripeError(400, { type: "invalid_request_error", code, message });
}
