// Ids as the type system and users see them. The server makes and checks them (TypeID 0.3).

/**
 * The id of a row of table `T`: the table's name in small letters (`filmCopy` as `film_copy`), `_`, and 26
 * characters that sort by time of creation.
 */
export type Id<T extends string> = `${Prefix<T>}_${string}`;

type Prefix<T extends string> = T extends Lowercase<T> ? T : Snake<T>;

type Snake<T extends string> = T extends `${infer First}${infer Rest}`
  ? `${First extends Lowercase<First> ? First : `_${Lowercase<First>}`}${Snake<Rest>}`
  : T;

const suffixPattern = /^[0-7][0-9a-hjkmnp-tv-z]{25}$/;

/**
 * Whether a text has the form of an id of this table: for texts from addresses and forms, which may be missing.
 * It does not say that such a row exists.
 * @example isId("film", "film_01h455vb4pex5vsknk084sn02q") // true
 */
export function isId<T extends string>(table: T, text: string | null | undefined): text is Id<T> {
  if (typeof text !== "string") return false;
  const prefix = `${table.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}_`;
  return text.startsWith(prefix) && suffixPattern.test(text.slice(prefix.length));
}
