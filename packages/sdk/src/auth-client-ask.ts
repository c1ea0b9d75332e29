// How the parts of `api.auth` ask the server.

/** Sends one request to identity. @param body for POST and PATCH. @returns its answer; nothing where there is none. */
export type AuthAsk = <T = void>(
  method: "GET" | "POST" | "PATCH" | "DELETE",
  path: string,
  body?: { readonly [name: string]: unknown },
) => Promise<T>;
