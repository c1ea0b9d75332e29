// The name of the session cookie is taken from the first version on, so that a session service can come
// without a clash. Nothing reads it yet: identity is by token only.

/** Cookie that sessions live in. */
export const sessionCookie = "keelson_session";
