// Refusals of OAuth's own addresses, in OAuth's own form (RFC 6749 5.2, OpenID Connect Core 3.1.2.6): clients are
// libraries that know these names and nothing of our codes.

/** Names that clients know. */
export type OAuthErrorName =
  | "access_denied"
  | "consent_required"
  | "insufficient_scope"
  | "interaction_required"
  | "invalid_client"
  | "invalid_grant"
  | "invalid_request"
  | "invalid_scope"
  | "invalid_token"
  | "login_required"
  | "request_not_supported"
  | "request_uri_not_supported"
  | "registration_not_supported"
  | "unauthorized_client"
  | "unsupported_grant_type"
  | "unsupported_response_type"
  | "unsupported_token_type";

/** A refusal that a client is told of. */
export class OAuthError extends Error {
  override readonly name = "OAuthError";
  readonly error: OAuthErrorName;

  /** @param description for the client's developer: ASCII without quotes and backslashes (RFC 6749, 5.2). */
  constructor(error: OAuthErrorName, description: string) {
    super(description);
    this.error = error;
  }

  /** The HTTP status where it is answered directly. */
  get status(): number {
    if (this.error === "invalid_client" || this.error === "invalid_token") return 401;
    return this.error === "insufficient_scope" ? 403 : 400;
  }

  /** The JSON body where it is answered directly. */
  toJson(): { readonly error: string; readonly error_description: string } {
    return { error: this.error, error_description: this.message };
  }
}
