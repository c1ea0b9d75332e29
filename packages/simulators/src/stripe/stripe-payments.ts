// Payment intents, charges and refunds, with their states
// (https://docs.stripe.com/payments/paymentintents/lifecycle).
import { attach, behaviourOf, cardMethod, paymentMethodOf } from "./stripe-cards.ts";
import { badParam, StripeError, wrongState } from "./stripe-error.ts";
import { listOf } from "./stripe-list.ts";
import type { StripeParams } from "./stripe-params.ts";
import type { StripeRoute } from "./stripe-route.ts";
import type { StripeObject, StripeState } from "./stripe-state.ts";

/** What a payment is made of. */
export interface PaymentOrder {
  readonly amount: number;
  readonly currency: string;
  readonly customer: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly description: string | null;
  readonly captureMethod: "automatic" | "manual";
}

/** A payment that waits for a payment method. */
export function makePayment(state: StripeState, order: PaymentOrder): StripeObject {
  const intent = state.make("pi", "payment_intent", {
    amount: order.amount,
    amount_capturable: 0,
    amount_received: 0,
    canceled_at: null,
    cancellation_reason: null,
    capture_method: order.captureMethod,
    client_secret: null as string | null,
    confirmation_method: "automatic",
    currency: order.currency,
    customer: order.customer,
    description: order.description,
    last_payment_error: null,
    latest_charge: null,
    metadata: order.metadata,
    next_action: null,
    payment_method: null,
    payment_method_types: ["card"],
    status: "requires_payment_method",
  });
  intent.client_secret = `${intent.id}_secret_sim`;
  state.emit("payment_intent.created", intent);
  return intent;
}

/** How a confirmation is made. */
export interface Confirmation {
  readonly method: StripeObject;
  /** Nobody is there to authenticate: a card that asks for it is declined. */
  readonly offSession: boolean;
  /** Where the customer goes to authenticate. */
  readonly url: string;
}

/**
 * Confirms a payment: it succeeds, waits for its customer, or is declined.
 * @throws StripeError (402) when the card is declined.
 */
export function confirmPayment(
  state: StripeState,
  intent: StripeObject,
  { method, offSession, url }: Confirmation,
): StripeObject {
  const status = intent["status"];
  if (status !== "requires_payment_method" && status !== "requires_confirmation") {
    throw wrongState(
      "payment_intent_unexpected_state",
      `You cannot confirm this PaymentIntent because it has a status of ${String(status)}.`,
    );
  }
  intent["payment_method"] = method.id;
  const behaviour = behaviourOf(method);
  if (behaviour.decline !== undefined) throw decline(state, intent, method, behaviour.decline);
  if (behaviour.needsAuthentication === true) {
    if (offSession) {
      throw decline(state, intent, method, {
        code: "authentication_required",
        declineCode: "authentication_required",
        message: "Your card was declined. This transaction requires authentication.",
      });
    }
    intent["status"] = "requires_action";
    intent["next_action"] = {
      type: "redirect_to_url",
      redirect_to_url: { url: `${url}/sca/${intent.id}`, return_url: null },
    };
    state.emit("payment_intent.requires_action", intent);
    return intent;
  }
  return chargePayment(state, intent);
}

/** The customer authenticated, or did not. */
export function authenticatePayment(
  state: StripeState,
  intent: StripeObject,
  isDone: boolean,
): void {
  if (intent["status"] !== "requires_action") {
    throw wrongState("payment_intent_unexpected_state", "Nothing is to be authenticated.");
  }
  intent["next_action"] = null;
  if (isDone) {
    chargePayment(state, intent);
    return;
  }
  const method = state.get("payment_method", String(intent["payment_method"]));
  decline(state, intent, method, {
    code: "payment_intent_authentication_failure",
    message: "We are unable to authenticate your payment method.",
  });
}

function chargePayment(state: StripeState, intent: StripeObject): StripeObject {
  const isManual = intent["capture_method"] === "manual";
  const charge = makeCharge(state, intent, { paid: true, captured: !isManual });
  intent["latest_charge"] = charge.id;
  intent["next_action"] = null;
  intent["last_payment_error"] = null;
  if (isManual) {
    intent["status"] = "requires_capture";
    intent["amount_capturable"] = intent["amount"];
    state.emit("payment_intent.amount_capturable_updated", intent);
    return intent;
  }
  intent["status"] = "succeeded";
  intent["amount_received"] = intent["amount"];
  state.emit("charge.succeeded", charge);
  state.emit("payment_intent.succeeded", intent);
  return intent;
}

function makeCharge(
  state: StripeState,
  intent: StripeObject,
  { paid, captured }: { readonly paid: boolean; readonly captured: boolean },
): StripeObject {
  return state.make("ch", "charge", {
    amount: intent["amount"],
    amount_captured: paid && captured ? intent["amount"] : 0,
    amount_refunded: 0,
    captured: paid && captured,
    currency: intent["currency"],
    customer: intent["customer"],
    disputed: false,
    failure_code: null as string | null,
    failure_message: null as string | null,
    metadata: intent["metadata"],
    paid,
    payment_intent: intent.id,
    payment_method: intent["payment_method"],
    receipt_url: null,
    refunded: false,
    status: paid ? "succeeded" : "failed",
  });
}

/** Notes that the card was declined. @returns the error that tells it. */
function decline(
  state: StripeState,
  intent: StripeObject,
  method: StripeObject,
  why: { readonly code: string; readonly declineCode?: string; readonly message: string },
): StripeError {
  const charge = makeCharge(state, intent, { paid: false, captured: false });
  charge.failure_code = why.code;
  charge.failure_message = why.message;
  const error = {
    type: "card_error",
    code: why.code,
    ...(why.declineCode === undefined ? {} : { decline_code: why.declineCode }),
    message: why.message,
  } as const;
  intent["status"] = "requires_payment_method";
  intent["payment_method"] = null;
  intent["latest_charge"] = charge.id;
  intent["last_payment_error"] = { ...error, payment_method: structuredClone(method) };
  state.emit("charge.failed", charge);
  state.emit("payment_intent.payment_failed", intent);
  return new StripeError(402, { ...error, payment_intent: structuredClone(intent) });
}

function capture(state: StripeState, intent: StripeObject, amount: number | null): StripeObject {
  if (intent["status"] !== "requires_capture") {
    throw wrongState(
      "payment_intent_unexpected_state",
      "This PaymentIntent could not be captured.",
    );
  }
  const most = Number(intent["amount_capturable"]);
  const taken = amount ?? most;
  if (taken < 1 || taken > most) throw badParam("amount_to_capture", "Invalid amount to capture.");
  const charge = state.get("charge", String(intent["latest_charge"]));
  Object.assign(charge, { captured: true, amount_captured: taken, amount_refunded: most - taken });
  Object.assign(intent, { status: "succeeded", amount_capturable: 0, amount_received: taken });
  state.emit("charge.captured", charge);
  state.emit("payment_intent.succeeded", intent);
  return intent;
}

function cancel(state: StripeState, intent: StripeObject, reason: string | null): StripeObject {
  if (intent["status"] === "succeeded" || intent["status"] === "canceled") {
    throw wrongState(
      "payment_intent_unexpected_state",
      `You cannot cancel this PaymentIntent because it has a status of ${intent["status"]}.`,
    );
  }
  Object.assign(intent, {
    status: "canceled",
    canceled_at: state.now(),
    cancellation_reason: reason,
    amount_capturable: 0,
  });
  state.emit("payment_intent.canceled", intent);
  return intent;
}

function refund(state: StripeState, params: StripeParams): StripeObject {
  const intentId = params.text("payment_intent");
  const chargeId =
    params.text("charge") ??
    (intentId === null
      ? params.needed("charge")
      : String(state.get("payment_intent", intentId)["latest_charge"] ?? ""));
  const charge = state.get("charge", chargeId);
  const left = Number(charge["amount_captured"]) - Number(charge["amount_refunded"]);
  const amount = params.int("amount") ?? left;
  const reason = params.oneOf("reason", ["duplicate", "fraudulent", "requested_by_customer"]);
  const metadata = params.map("metadata");
  params.done();
  if (left === 0) {
    throw wrongState("charge_already_refunded", `Charge ${charge.id} has already been refunded.`);
  }
  if (amount < 1 || amount > left) {
    throw badParam(
      "amount",
      `Refund amount (${amount}) is greater than unrefunded amount on charge (${left})`,
    );
  }
  const made = state.make("re", "refund", {
    amount,
    charge: charge.id,
    currency: charge["currency"],
    metadata,
    payment_intent: charge["payment_intent"],
    reason,
    status: "succeeded",
    failure_reason: null as string | null,
  });
  const refunded = Number(charge["amount_refunded"]) + amount;
  Object.assign(charge, {
    amount_refunded: refunded,
    refunded: refunded === charge["amount_captured"],
  });
  state.emit("refund.created", made);
  state.emit("charge.refunded", charge);
  const method = state.find(String(charge["payment_method"]));
  if (method !== null && behaviourOf(method).refundFails === true) {
    Object.assign(charge, { amount_refunded: refunded - amount, refunded: false });
    Object.assign(made, { status: "failed", failure_reason: "expired_or_canceled_card" });
    state.emit("refund.failed", made);
  }
  return made;
}

/** The payment method that a request names, by id or by its card's data. */
function methodOf(state: StripeState, params: StripeParams): StripeObject | null {
  const id = params.text("payment_method");
  if (id !== null) return paymentMethodOf(state, id);
  const data = params.object("payment_method_data");
  if (data === null) return null;
  data.ignore("type", "billing_details");
  const card = data.object("card");
  card?.ignore("exp_month", "exp_year", "cvc");
  return cardMethod(state, card?.needed("number") ?? "");
}

/** Calls about payments. */
export const paymentRoutes: readonly StripeRoute[] = [
  {
    method: "POST",
    path: "/v1/payment_intents",
    run: ({ state, params, url }) => {
      const customer = params.text("customer");
      const order: PaymentOrder = {
        amount: params.amount("amount"),
        currency: params.needed("currency").toLowerCase(),
        customer: customer === null ? null : state.get("customer", customer).id,
        metadata: params.map("metadata"),
        description: params.text("description"),
        captureMethod: params.oneOf("capture_method", ["automatic", "manual"]) ?? "automatic",
      };
      const method = methodOf(state, params);
      const isConfirmed = params.flag("confirm") ?? false;
      const offSession = params.flag("off_session") ?? false;
      params.ignore(
        "automatic_payment_methods",
        "payment_method_types",
        "receipt_email",
        "return_url",
        "setup_future_usage",
        "statement_descriptor_suffix",
      );
      params.done();
      const intent = makePayment(state, order);
      if (method === null) {
        if (isConfirmed)
          throw badParam("payment_method", "You must provide a payment method to confirm.");
        return intent;
      }
      if (isConfirmed) return confirmPayment(state, intent, { method, offSession, url });
      return Object.assign(intent, { payment_method: method.id, status: "requires_confirmation" });
    },
  },
  {
    method: "GET",
    path: "/v1/payment_intents",
    run: (call) => listOf(call, "payment_intent", "/v1/payment_intents", ["customer"]),
  },
  {
    method: "GET",
    path: "/v1/payment_intents/:id",
    run: ({ state, path }) => state.get("payment_intent", path["id"] ?? ""),
  },
  {
    method: "POST",
    path: "/v1/payment_intents/:id/confirm",
    run: ({ state, path, params, url }) => {
      const intent = state.get("payment_intent", path["id"] ?? "");
      const named = methodOf(state, params);
      const kept = intent["payment_method"];
      const method = named ?? (typeof kept === "string" ? state.get("payment_method", kept) : null);
      const offSession = params.flag("off_session") ?? false;
      params.ignore("return_url");
      params.done();
      if (method === null) {
        throw wrongState("payment_intent_unexpected_state", "You must provide a payment method.");
      }
      return confirmPayment(state, intent, { method, offSession, url });
    },
  },
  {
    method: "POST",
    path: "/v1/payment_intents/:id/capture",
    run: ({ state, path, params }) =>
      capture(
        state,
        state.get("payment_intent", path["id"] ?? ""),
        params.int("amount_to_capture"),
      ),
  },
  {
    method: "POST",
    path: "/v1/payment_intents/:id/cancel",
    run: ({ state, path, params }) =>
      cancel(
        state,
        state.get("payment_intent", path["id"] ?? ""),
        params.text("cancellation_reason"),
      ),
  },
  {
    method: "GET",
    path: "/v1/charges",
    run: (call) => listOf(call, "charge", "/v1/charges", ["customer", "payment_intent"]),
  },
  {
    method: "GET",
    path: "/v1/charges/:id",
    run: ({ state, path }) => state.get("charge", path["id"] ?? ""),
  },
  { method: "POST", path: "/v1/refunds", run: ({ state, params }) => refund(state, params) },
  {
    method: "GET",
    path: "/v1/refunds",
    run: (call) => listOf(call, "refund", "/v1/refunds", ["charge", "payment_intent"]),
  },
  {
    method: "GET",
    path: "/v1/refunds/:id",
    run: ({ state, path }) => state.get("refund", path["id"] ?? ""),
  },
];

/** Ties the method of a payment to its customer, when there is one. */
export function keepMethod(state: StripeState, intent: StripeObject): void {
  const { customer, payment_method: method } = intent;
  if (typeof customer !== "string" || typeof method !== "string") return;
  attach(state, state.get("payment_method", method), customer);
}
