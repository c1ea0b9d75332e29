// How many letters anybody can have sent: to one address, and from one network. Counted whether the address has an
// account or not. Links that sign in count for themselves: whoever uses those up for somebody else has put links into
// their mailbox that work. A code works for who asked for it only, so strangers who ask for codes must not use up the links.
import type { AuthDesk } from "../auth-desk.ts";
import type { AuthRate } from "../auth-rates.ts";
import { assertMailable } from "../mail/mail-address.ts";
import type { AuthAsk } from "../auth-route.ts";
import { networkKey } from "../caller-network.ts";

const perAddress = {
  other: { name: "letters to an address", quota: "10/hour" },
  link: { name: "links to an address", quota: "10/hour" },
} as const satisfies Readonly<Record<string, AuthRate>>;
const perNetwork: AuthRate = { name: "letters from a network", quota: "60/hour" };

/**
 * Counts a letter. @param kind `link`: its reader signs in by it, in whatever browser.
 * @throws RATE_LIMITED; ARGUMENT_INVALID for an address that no letter goes to: people would wait for it.
 */
export function admitLetter(
  desk: AuthDesk,
  ask: Pick<AuthAsk, "address">,
  { email, kind = "other" }: { readonly email: string; readonly kind?: keyof typeof perAddress },
): void {
  assertMailable(email);
  desk.rates.take(perNetwork, networkKey(ask.address));
  desk.rates.take(perAddress[kind], email);
}
