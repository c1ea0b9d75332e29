// Errors as Plaid answers them (https://plaid.com/docs/errors).

/** A refusal of the API. */
export class PlaidError extends Error {
  readonly status: number;
  readonly type: string;
  readonly code: string;

  constructor(type: string, code: string, message: string, status = 400) {
    super(message);
    this.status = status;
    this.type = type;
    this.code = code;
  }

  /** The body of the answer. */
  body(requestId: string): object {
    return {
      error_type: this.type,
      error_code: this.code,
      error_message: this.message,
      display_message: null,
      documentation_url: `https://plaid.com/docs/?ref=error#${this.code.toLowerCase()}`,
      request_id: requestId,
      suggested_action: null,
    };
  }
}

/** A field that is missing or wrong. */
export function badField(name: string, problem = "must be a non-empty string"): PlaidError {
  return new PlaidError("INVALID_REQUEST", "INVALID_FIELD", `${name} ${problem}`);
}
