// What names say: a field called `email` holds what its name says, whatever its kind. One place for all lists,
// so that two checks never disagree on what is personal, secret, or money.

/** `passwordHash` -> ["password", "hash"]. */
function wordsOf(name: string): readonly string[] {
  return name
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[\s_]+/);
}

const personal = new Set(
  "email phone mobile address street postcode zipcode birthday birthdate birth ssn passport iban salary diagnosis religion ethnicity gender latitude longitude".split(
    " ",
  ),
);
const secret = new Set("password passwd pin secret token credential otp mnemonic".split(" "));
const secretPairs =
  /(?:api|private|secret|access|signing|encryption)Key$|passwordHash|recoveryCode|backupCode/i;
const money = new Set(
  "price amount total balance cost fee salary tax subtotal discount revenue wage budget deposit payment".split(
    " ",
  ),
);
const notMoney = new Set(
  "count rate ratio percent score factor seats items rows days hours minutes weight".split(" "),
);
const privilege = new Set(
  "role roles admin superuser verified plan credits permissions permission scopes banned approved".split(
    " ",
  ),
);
const state = new Set("status state stage phase".split(" "));
const choice = new Set(
  "status state stage phase type kind role level priority visibility severity".split(" "),
);
const stock = new Set("stock inventory remaining available quantity credits".split(" "));
const owners = new Set(
  "owner author user customer creator sender buyer member voter account createdBy".split(" "),
);
const naturalKeys = new Set("username slug handle sku iban isbn".split(" "));

/** About a person: e-mail, address, birth. */
export function isPersonalName(name: string): boolean {
  const words = wordsOf(name);
  // `emailVerified`, `phoneCount`: about the value, not the value.
  if (words.some((word) => word === "verified" || word === "count" || word === "at")) return false;
  return words.some((word) => personal.has(word));
}

/** Whoever knows the value can act as somebody: passwords, tokens, keys. */
export function isSecretName(name: string): boolean {
  if (secretPairs.test(name)) return true;
  const words = wordsOf(name);
  if (words.some((word) => word === "count" || word === "at" || word === "public")) return false;
  return words.some((word) => secret.has(word));
}

export function isMoneyName(name: string): boolean {
  const words = wordsOf(name);
  return words.some((word) => money.has(word)) && !words.some((word) => notMoney.has(word));
}

/** Whoever sets it gets more than they had. */
export function isPrivilegeName(name: string): boolean {
  const words = wordsOf(name);
  if (words.at(-1) === "at") return false;
  return words.some((word) => privilege.has(word));
}

/** Where a row stands in its life. */
export function isStateName(name: string): boolean {
  return state.has(wordsOf(name).at(-1) ?? "");
}

/** One of a few words. */
export function isChoiceName(name: string): boolean {
  return choice.has(wordsOf(name).at(-1) ?? "");
}

/** What there can't be less than none of. */
export function isStockName(name: string): boolean {
  return stock.has(wordsOf(name).at(-1) ?? "");
}

/** Whose row it is. */
export function isOwnerName(name: string): boolean {
  return owners.has(name) || owners.has(name.replace(/Id$/, ""));
}

/** What a person would look a row up by. */
export function isNaturalKeyName(name: string): boolean {
  return naturalKeys.has(name);
}

/** A moment or a day. */
export function isTimeName(name: string): boolean {
  if (/(?:At|Date|Time|Until|Since)$/.test(name)) return true;
  return ["date", "time", "deadline", "birthday", "timestamp"].includes(name.toLowerCase());
}
