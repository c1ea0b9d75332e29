// Holds back who guesses passwords, without locking out who knows one. Wrong passwords count for the network that they
// come from, for the account as that network sees it, and for the account as strangers see it. A browser that signed in
// to the account before carries a mark of it and has a count of its own: however many strangers guess, its owner gets in.
import type { AuthDesk } from "./auth-desk.ts";
import type { AuthRate } from "./auth-rates.ts";
import type { AuthAsk, AuthCookie } from "./auth-route.ts";
import { networkKey } from "./caller-network.ts";

/** Wrong passwords of one network. */
const perNetwork: AuthRate = { name: "sign-in network", quota: "200/hour" };
/** Wrong passwords for one account from one network. */
const perAccountAndNetwork: AuthRate = { name: "sign-in", quota: "10/hour" };
/** Wrong passwords for one account from everywhere, but for browsers that know it. */
const perAccount: AuthRate = { name: "sign-in account", quota: "100/hour" };
/** Wrong passwords for one account from one browser that knows it. */
const perDevice: AuthRate = { name: "sign-in device", quota: "10/hour" };
/** Wrong codes for one address: from all browsers that do not know it, and from each that does. */
const perCodes: AuthRate = { name: "codes of an address", quota: "20/day" };

const cookieName = "keelson_device";
const label = "device of";
const cookieSeconds = 34_560_000;
const pattern = /^([\w-]{22})\.([\w-]{43})$/;

/** An account as it is guessed at, known or not. */
export interface GuessedAt {
  /** The address, or the user's id. */
  readonly account: string;
  readonly ask: Pick<AuthAsk, "address" | "cookie">;
}

/**
 * Counts one try for an account, before the password is looked at: many at once are not better than one by one.
 * @returns takes it back, for a password that was right. @throws RATE_LIMITED.
 */
export function admitSignIn(desk: AuthDesk, { account, ask }: GuessedAt): () => void {
  const network = networkKey(ask.address);
  const device = deviceOf(desk, ask, account);
  const counted: [AuthRate, string][] =
    device === null
      ? [
          [perNetwork, network],
          [perAccountAndNetwork, `${account} ${network}`],
          [perAccount, account],
        ]
      : [[perDevice, `${account} ${device}`]];
  const taken: [AuthRate, string][] = [];
  const giveBack = (): void => {
    for (const [rate, key] of taken) desk.rates.giveBack(rate, key);
  };
  try {
    for (const [rate, key] of counted) {
      desk.rates.take(rate, key);
      taken.push([rate, key]);
    }
  } catch (error) {
    giveBack();
    throw error;
  }
  return giveBack;
}

/** The mark of a browser that signed in to an account; kept when it has one. Null: it has one. */
export function deviceCookie(
  desk: AuthDesk,
  ask: GuessedAt["ask"],
  account: string,
): AuthCookie | null {
  if (deviceOf(desk, ask, account) !== null) return null;
  return { name: cookieName, value: deviceMark(desk, account), maxAgeSeconds: cookieSeconds };
}

/** A new mark of an account, for a program to keep. */
export function deviceMark(desk: AuthDesk, account: string): string {
  const id = desk.secrets.draw().slice(0, 22);
  return `${id}.${desk.secrets.mark(`${label} ${account}`, id)}`;
}

/**
 * Counts one try of a code that was sent to an address, before it is looked at. The limit is one of days: letters are sent
 * again each hour, and each brings new tries. Links don't count: strangers who use this up keep nobody out of those.
 * @returns takes it back, for a code that was right. @throws RATE_LIMITED.
 */
export function admitCode(desk: AuthDesk, { account, ask }: GuessedAt): () => void {
  const device = deviceOf(desk, ask, account);
  const key = device === null ? account : `${account} ${device}`;
  desk.rates.take(perCodes, key);
  return () => desk.rates.giveBack(perCodes, key);
}

function deviceOf(desk: AuthDesk, ask: GuessedAt["ask"], account: string): string | null {
  const found = pattern.exec(ask.cookie(cookieName) ?? "");
  if (found === null) return null;
  const [, id = "", mark = ""] = found;
  return desk.secrets.isMark(`${label} ${account}`, id, mark) ? id : null;
}
