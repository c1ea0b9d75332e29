// Payment methods and how the test cards behave (https://docs.stripe.com/testing).
import { badParam, StripeError, wrongState } from "./stripe-error.ts";
import { listOf } from "./stripe-list.ts";
import type { StripeParams } from "./stripe-params.ts";
import type { StripeRoute } from "./stripe-route.ts";
import { hiddenOf, type StripeObject, type StripeState } from "./stripe-state.ts";

/** What a card does when it is charged. */
export interface CardBehaviour {
  readonly decline?: {
    readonly code: string;
    readonly declineCode?: string;
    readonly message: string;
  };
  /** The bank asks its customer first. */
  readonly needsAuthentication?: true;
  /** A refund to it fails later. */
  readonly refundFails?: true;
}

const declined = (
  declineCode: string,
  message = "Your card was declined.",
  code = "card_declined",
) => ({
  decline: { code, declineCode, message },
});

/** Cards by number, and the ready-made payment methods that stand for them. */
const cards: Readonly<Record<string, { readonly method: string; readonly does: CardBehaviour }>> = {
  "4242424242424242": { method: "pm_card_visa", does: {} },
  "5555555555554444": { method: "pm_card_mastercard", does: {} },
  "4000000000000002": {
    method: "pm_card_visa_chargeDeclined",
    does: declined("generic_decline"),
  },
  "4000000000009995": {
    method: "pm_card_visa_chargeDeclinedInsufficientFunds",
    does: declined("insufficient_funds", "Your card has insufficient funds."),
  },
  "4000000000000069": {
    method: "pm_card_chargeDeclinedExpiredCard",
    does: { decline: { code: "expired_card", message: "Your card has expired." } },
  },
  "4000000000000127": {
    method: "pm_card_chargeDeclinedIncorrectCvc",
    does: {
      decline: { code: "incorrect_cvc", message: "Your card's security code is incorrect." },
    },
  },
  "4000000000000341": {
    method: "pm_card_chargeCustomerFail",
    does: declined("generic_decline"),
  },
  "4000002500003155": {
    method: "pm_card_authenticationRequired",
    does: { needsAuthentication: true },
  },
  "4000000000005126": { method: "pm_card_refundFail", does: { refundFails: true } },
};

const byMethod = new Map(
  Object.entries(cards).map(([number, card]) => [card.method, { number, ...card }]),
);
const shortNames: Readonly<Record<string, string>> = {
  pm_card_chargeDeclined: "pm_card_visa_chargeDeclined",
  pm_card_chargeDeclinedInsufficientFunds: "pm_card_visa_chargeDeclinedInsufficientFunds",
  pm_card_authenticationRequiredOnSetup: "pm_card_authenticationRequired",
};

/** A payment method by id; ready-made ones (`pm_card_visa`) are made when first named. */
export function paymentMethodOf(state: StripeState, id: string): StripeObject {
  const ready = byMethod.get(shortNames[id] ?? id);
  if (ready === undefined) return state.get("payment_method", id);
  return cardMethod(state, ready.number);
}

/** What the card of a payment method does. */
export function behaviourOf(method: StripeObject): CardBehaviour {
  return cards[hiddenOf(method).number ?? ""]?.does ?? {};
}

/** A payment method for a card of this number. @throws StripeError when it is none of the test cards. */
export function cardMethod(state: StripeState, number: string): StripeObject {
  const digits = number.replace(/[ -]/g, "");
  const card = cards[digits];
  if (card === undefined) {
    throw new StripeError(402, {
      type: "card_error",
      code: "incorrect_number",
      param: "number",
      message: "Your card number is incorrect.",
    });
  }
  const method = state.make("pm", "payment_method", {
    type: "card",
    customer: null,
    metadata: {},
    billing_details: { address: null, email: null, name: null, phone: null },
    card: {
      brand: digits.startsWith("5") ? "mastercard" : "visa",
      last4: digits.slice(-4),
      exp_month: 12,
      exp_year: 2040,
      country: "US",
      funding: "credit",
    },
  });
  hiddenOf(method).number = digits;
  return method;
}

/** Ties a payment method to a customer. */
export function attach(state: StripeState, method: StripeObject, customer: string): void {
  const owner = method["customer"];
  if (owner !== null && owner !== customer) {
    throw wrongState(
      "payment_method_unexpected_state",
      "This payment method belongs to another customer.",
    );
  }
  if (owner === customer) return;
  method["customer"] = customer;
  state.emit("payment_method.attached", method);
}

function makeMethod(state: StripeState, params: StripeParams): StripeObject {
  if (params.oneOf("type", ["card"]) === null) params.needed("type");
  const card = params.object("card");
  const token = card?.text("token") ?? null;
  const number = card?.text("number") ?? null;
  card?.ignore("exp_month", "exp_year", "cvc");
  params.ignore("billing_details");
  const metadata = params.map("metadata");
  params.done();
  if (token !== null) {
    const ready = byMethod.get(token.replace(/^tok_/, "pm_card_"));
    if (ready === undefined)
      throw badParam("card[token]", `No such token: '${token}'`, "resource_missing");
    return Object.assign(cardMethod(state, ready.number), { metadata });
  }
  if (number === null) throw badParam("card", "Missing required param: card.", "parameter_missing");
  return Object.assign(cardMethod(state, number), { metadata });
}

/** Calls about payment methods. */
export const cardRoutes: readonly StripeRoute[] = [
  {
    method: "POST",
    path: "/v1/payment_methods",
    run: ({ state, params }) => makeMethod(state, params),
  },
  {
    method: "GET",
    path: "/v1/payment_methods",
    run: (call) => listOf(call, "payment_method", "/v1/payment_methods", ["customer", "type"]),
  },
  {
    method: "GET",
    path: "/v1/payment_methods/:id",
    run: ({ state, path }) => state.get("payment_method", path["id"] ?? ""),
  },
  {
    method: "POST",
    path: "/v1/payment_methods/:id/attach",
    run: ({ state, params, path }) => {
      const method = paymentMethodOf(state, path["id"] ?? "");
      attach(state, method, state.get("customer", params.needed("customer")).id);
      return method;
    },
  },
  {
    method: "POST",
    path: "/v1/payment_methods/:id/detach",
    run: ({ state, path }) => {
      const method = state.get("payment_method", path["id"] ?? "");
      const before = { customer: method["customer"] };
      method["customer"] = null;
      state.emit("payment_method.detached", method, before);
      return method;
    },
  },
];
