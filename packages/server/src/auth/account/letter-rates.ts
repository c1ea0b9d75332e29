// How many letters anybody can have sent: to one address, and from one network. Counted whether the address has an
// account or not.
import type { AuthDesk } from "../auth-desk.ts";
import type { AuthRate } from "../auth-rates.ts";
import type { AuthAsk } from "../auth-route.ts";
import { networkKey } from "../caller-network.ts";

const perAddress: AuthRate = { name: "letters to an address", quota: "10/hour" };
const perNetwork: AuthRate = { name: "letters from a network", quota: "60/hour" };

/** Counts a letter. @throws RATE_LIMITED. */
export function admitLetter(desk: AuthDesk, ask: Pick<AuthAsk, "address">, email: string): void {
  desk.rates.take(perNetwork, networkKey(ask.address));
  desk.rates.take(perAddress, email);
}
