// The one table of error codes. Codes are for ever, texts may change, tests match codes.
// docs/reference/errors.md shows the same rows; a test holds both together.

/** Whose mistake it is: the caller's, the app's (its code or design), or the host's (ours, or the machine's). */
export type Fault = "caller" | "app" | "host";

/** When the same request may be sent again: never (it will fail again), later, or now (a fresh attempt may pass). */
export type Retry = "never" | "later" | "now";

export interface ErrorRow {
  readonly status: number;
  readonly fault: Fault;
  readonly retry: Retry;
  /** One sentence for a person: what is wrong and, where it helps, what to do. */
  readonly text: string;
}

const rows = {
  // Input
  JSON_INVALID: row(400, "caller", "never", "The body is not valid JSON."),
  JSON_TOO_DEEP: row(400, "caller", "never", "The JSON is nested too deeply."),
  JSON_KEY_FORBIDDEN: row(400, "caller", "never", "The JSON has a key that is never allowed."),
  REQUEST_INVALID: row(400, "caller", "never", "The request is malformed."),
  BODY_TOO_LARGE: row(413, "caller", "never", "The body is larger than this address takes."),
  BODY_TYPE_UNSUPPORTED: row(415, "caller", "never", "Send the body as application/json."),
  URL_TOO_LONG: row(414, "caller", "never", "The address with its query is too long."),
  HEADERS_TOO_LARGE: row(431, "caller", "never", "The request's headers are too large."),
  EXPECTATION_UNSUPPORTED: row(
    417,
    "caller",
    "never",
    "The request expects something other than 100-continue.",
  ),
  ARGUMENT_INVALID: row(
    422,
    "caller",
    "never",
    "An argument is missing, unknown or not what its definition asks for.",
  ),
  VALUE_INVALID: row(422, "caller", "never", "A value does not fit its field."),
  FIELD_UNKNOWN: row(422, "caller", "never", "There is no such field."),
  FIELD_IMMUTABLE: row(422, "caller", "never", "This field is set once, when the row is created."),
  FIELD_NOT_READABLE: row(
    403,
    "caller",
    "never",
    "You may not order, filter, search or count by a field you may not read.",
  ),
  FIELD_NOT_WRITABLE: row(403, "caller", "never", "You may not write this field."),
  QUERY_INVALID: row(422, "caller", "never", "The query is not of the form that lists take."),
  CURSOR_INVALID: row(422, "caller", "never", "The cursor does not belong to this query."),
  CHECK_FAILED: row(422, "caller", "never", "The row breaks a check of its table."),
  EVENT_INVALID: row(400, "caller", "never", "This is no valid CloudEvent."),
  ENDPOINT_INVALID: row(
    422,
    "caller",
    "never",
    "A webhook can't be sent there: name a public https address.",
  ),
  // Not found
  NOT_FOUND: row(404, "caller", "never", "There is nothing here, or nothing that you may see."),
  METHOD_NOT_ALLOWED: row(405, "caller", "never", "This address does not take that method."),
  FUNCTION_NOT_FOUND: row(404, "caller", "never", "There is no function of that name."),
  TABLE_NOT_FOUND: row(404, "caller", "never", "There is no table of that name."),
  USER_NOT_FOUND: row(404, "caller", "never", "There is no such user."),
  // Identity and rights
  TOKEN_INVALID: row(401, "caller", "never", "The token is not valid here. Sign in again."),
  TOKEN_EXPIRED: row(401, "caller", "never", "The token has expired. Sign in again."),
  WEBHOOK_INVALID: row(401, "caller", "never", "The webhook is not signed by its sender."),
  WEBHOOK_TOO_OLD: row(401, "caller", "never", "The webhook was signed too long ago."),
  SECRET_MISSING: row(503, "app", "later", "A secret of this function is not set on the server."),
  SECRET_UNDECLARED: row(500, "app", "never", "The function does not declare this secret."),
  WEBHOOK_UNREADY: row(503, "app", "later", "The secret of this webhook is not set on the server."),
  SIGN_IN_REQUIRED: row(401, "caller", "never", "Sign in first."),
  SIGN_IN_FAILED: row(
    401,
    "caller",
    "never",
    "The e-mail address or the password is not right, or the address was not confirmed yet.",
  ),
  SECOND_FACTOR_REQUIRED: row(
    403,
    "caller",
    "never",
    "Set up a second factor first: your role asks for one.",
  ),
  FRESH_SIGN_IN_REQUIRED: row(
    403,
    "caller",
    "never",
    "Confirm first that it is you: sign in again.",
  ),
  TICKET_INVALID: row(
    400,
    "caller",
    "never",
    "This link or code is not valid any more. Ask for a new one.",
  ),
  ACCOUNT_EXISTS: row(
    403,
    "caller",
    "never",
    "There is an account with this e-mail address. Sign in to it, then add this way to sign in.",
  ),
  IDENTITY_TAKEN: row(409, "caller", "never", "This signs in to another account already."),
  PROVIDER_FAILED: row(502, "app", "later", "Signing in there did not work. Try again."),
  PASSKEY_INVALID: row(400, "caller", "never", "The passkey could not be verified. Try again."),
  CODE_WRONG: row(400, "caller", "never", "The code is not right."),
  EMAIL_UNVERIFIED: row(
    403,
    "caller",
    "never",
    "Verify your e-mail address first: a link is on its way.",
  ),
  ACCOUNT_DISABLED: row(
    403,
    "caller",
    "never",
    "This account is closed. Ask whoever runs this app.",
  ),
  SIGN_UP_CLOSED: row(403, "caller", "never", "Nobody can sign up here by themselves."),
  SIGN_UP_INCOMPLETE: row(
    403,
    "caller",
    "never",
    "A new account here needs more than this way in tells. Sign up first.",
  ),
  PASSWORD_WEAK: row(422, "caller", "never", "Choose another password: this one is easy to guess."),
  REDIRECT_DENIED: row(400, "caller", "never", "This address is not one to go on to from here."),
  CROSS_SITE_DENIED: row(403, "caller", "never", "This request comes from a page of another site."),
  SCOPE_DENIED: row(403, "caller", "never", "This key was not made for this."),
  RULE_DENIED: row(403, "caller", "never", "The rule of this table does not allow this."),
  CALL_DENIED: row(403, "caller", "never", "You may not call this function."),
  ORIGIN_DENIED: row(
    403,
    "caller",
    "never",
    "Pages of this origin may not connect. List it in the app's `cors`.",
  ),
  // Conflicts
  UNIQUE_TAKEN: row(409, "caller", "never", "Another row already holds this value."),
  LIMIT_REACHED: row(409, "caller", "never", "There are as many of these as there may be."),
  USER_AMBIGUOUS: row(409, "caller", "never", "Several users have this name. Name the user by id."),
  REF_MISSING: row(409, "caller", "never", "The row that this one refers to does not exist."),
  REF_IN_USE: row(409, "caller", "never", "Other rows still refer to this one."),
  CONFLICT: row(409, "caller", "now", "The function refused because of the current state."),
  ACTION_MAYBE_DONE: row(
    409,
    "caller",
    "never",
    "This action may have run already: it is not run again for a repeated request.",
  ),
  IDEMPOTENCY_KEY_REUSED: row(
    422,
    "caller",
    "never",
    "This Idempotency-Key was used for a different request.",
  ),
  IDEMPOTENCY_KEY_INVALID: row(
    400,
    "caller",
    "never",
    "An Idempotency-Key has 1 to 255 visible ASCII characters.",
  ),
  // Work
  WORK_TOO_DEEP: row(
    508,
    "app",
    "never",
    "Work caused work that caused work, deeper than a chain may be. The details show the chain.",
  ),
  WORK_FUEL_SPENT: row(
    508,
    "app",
    "never",
    "The work of one request has caused more work than it may. The details show the chain.",
  ),
  WORK_TOO_MUCH: row(
    500,
    "app",
    "never",
    "One transaction may not start so much work. Start one job that starts the others.",
  ),
  WORK_NOT_FOUND: row(404, "caller", "never", "There is no such work, or it has ended."),
  WORK_STRANDED: row(
    503,
    "app",
    "later",
    "Work waits for a queue or function that the app has no more.",
  ),
  WORK_CANCELLED: row(409, "caller", "never", "The work was cancelled before it ended."),
  WORKFLOW_NOT_DETERMINISTIC: row(
    500,
    "app",
    "never",
    "The workflow asked for something else than it did before. The details show both.",
  ),
  WORKFLOW_TOO_LONG: row(
    500,
    "app",
    "never",
    "The workflow has done more than one run may. Go on in a new run with restart(...).",
  ),
  WORKFLOW_CANCELLED: row(409, "caller", "never", "The workflow was cancelled."),
  WORKFLOW_DEADLINE: row(504, "app", "never", "The workflow did not end in the time it has."),
  // Limits
  RATE_LIMITED: row(429, "caller", "later", "Too many requests. Wait as long as Retry-After says."),
  OVERLOADED: row(
    503,
    "host",
    "later",
    "The server has more work than it can take. Wait as long as Retry-After says.",
  ),
  REQUEST_TIMEOUT: row(408, "caller", "later", "The request did not arrive in time."),
  SHUTTING_DOWN: row(503, "host", "later", "The server is shutting down. Send the request again."),
  NOT_READY: row(
    503,
    "host",
    "later",
    "The server is starting, or a part of it is being replaced. Ask again.",
  ),
  QUERY_TOO_COSTLY: row(
    422,
    "app",
    "never",
    "The query would read more rows than one request may. Add an index or narrow it.",
  ),
  // User code
  FUNCTION_FAILED: row(500, "app", "never", "The function failed."),
  FUNCTION_REFUSED: row(400, "caller", "never", "The function refused the request."),
  FUNCTION_CPU_EXCEEDED: row(
    500,
    "app",
    "never",
    "The function used more CPU time than a call may.",
  ),
  FUNCTION_TIMEOUT: row(504, "app", "never", "The function took longer than a call may."),
  FUNCTION_MEMORY_EXCEEDED: row(
    500,
    "app",
    "never",
    "The function used more memory than an isolate may.",
  ),
  FUNCTION_CALLS_EXCEEDED: row(
    500,
    "app",
    "never",
    "The function made more system calls than a call may.",
  ),
  FUNCTION_ROWS_EXCEEDED: row(
    500,
    "app",
    "never",
    "The function read or wrote more rows than a call may.",
  ),
  FUNCTION_INTERRUPTED: row(
    503,
    "app",
    "later",
    "The function was ended because another one broke a limit. Send the request again.",
  ),
  FUNCTION_NEVER_SETTLES: row(
    500,
    "app",
    "never",
    "The function waits for something that will never come.",
  ),
  PUBLIC_URL_MISSING: row(
    500,
    "app",
    "never",
    "A letter needs a link: start the server with --public-url, or set auth.url in the app.",
  ),
  SYSTEM_CALL_DENIED: row(500, "app", "never", "This kind of function may not do that."),
  SYSTEM_CALL_INVALID: row(
    500,
    "app",
    "never",
    "The function called the platform with something that it does not take.",
  ),
  RESULT_INVALID: row(
    500,
    "app",
    "never",
    "The function returned something else than its definition says.",
  ),
  RESULT_TOO_LARGE: row(500, "app", "never", "The result is larger than a call may return."),
  EGRESS_DENIED: row(
    500,
    "app",
    "never",
    "The function may not reach that host. Declare it in `hosts`.",
  ),
  EGRESS_FAILED: row(502, "app", "later", "The other server could not be reached."),
  RULE_FAILED: row(500, "app", "never", "A rule could not be decided."),
  // The app
  APP_INVALID: row(500, "app", "never", "The app has a mistake."),
  MIGRATION_REFUSED: row(
    500,
    "app",
    "never",
    "The database can't take the new schema without losing data.",
  ),
  MIGRATION_FAILED: row(
    500,
    "app",
    "never",
    "The migration failed; the old schema and all data are as they were.",
  ),
  // Host
  STORE_FAILED: row(500, "host", "later", "The database could not do this."),
  DISK_FULL: row(507, "host", "later", "The disk is full: writes are refused, reads go on."),
  DATA_REMOVED: row(
    500,
    "host",
    "later",
    "The data folder was removed or replaced under the server: writes are refused until it is started again, reads go on.",
  ),
  DATA_LOCKED: row(
    500,
    "host",
    "never",
    "Another server is using this data folder. Stop it, or choose another folder.",
  ),
  MAIL_TEMPLATE_INVALID: row(500, "app", "never", "The template of this e-mail can't be used."),
  MAIL_FAILED: row(502, "app", "later", "The e-mail could not be handed over."),
  MAIL_SETTINGS_INVALID: row(
    500,
    "host",
    "never",
    "The settings for sending e-mail can't be used.",
  ),
  PROXY_NOT_TRUSTED: row(
    500,
    "host",
    "never",
    "Requests come through a proxy that is not trusted: all who use it count as one address, and share its limits.",
  ),
  LISTEN_FAILED: row(500, "host", "never", "The address to listen on is taken or may not be used."),
  INTERNAL: row(500, "host", "later", "Something went wrong on our side."),
} as const satisfies Record<string, ErrorRow>;

/** A stable code. */
export type ErrorCode = keyof typeof rows;

/** Every code with what follows from it. */
export const errorCodes: Readonly<Record<ErrorCode, ErrorRow>> = rows;

/** What it is called when data can't be written: no fault of who writes. */
export const storeFailures: ReadonlySet<string> = new Set<ErrorCode>([
  "STORE_FAILED",
  "DISK_FULL",
  "DATA_REMOVED",
]);

function row(status: number, fault: Fault, retry: Retry, text: string): ErrorRow {
  return Object.freeze({ status, fault, retry, text });
}
