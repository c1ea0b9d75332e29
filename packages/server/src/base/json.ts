// The shape of JSON. Parsing untrusted text is json-parse.ts.

/** Any JSON value. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };
