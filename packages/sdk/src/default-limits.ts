// Bounds that a definition gets when it names none. The server's limits table holds the same numbers
// (textMaxDefault, listMaxDefault, jsonBytesMaxDefault); a test holds both together.

/** Bounds of fields that name none, and the most that a definition may ask for. */
export const defaultLimits = Object.freeze({
  /** UTF-16 code units of a text. */
  textMax: 10_000,
  /** Items of a list. */
  listMax: 1_000,
  /** Bytes of a json value, serialised. */
  jsonBytesMax: 65_536,
  /** Decoded bytes of a bytes value. */
  bytesMax: 65_536,
  /** Code units of any name: of a table, field, module or function. */
  nameCharsMax: 63,
});
