// Checkout and the billing portal: sessions, and the pages that stand for Stripe's own, where a person (or a test)
// chooses a test card (https://docs.stripe.com/payments/checkout).
import { escaped, page } from "../http/page.ts";
import { makeSubscription } from "./stripe-billing.ts";
import { cardMethod } from "./stripe-cards.ts";
import { makeCustomer, makePrice } from "./stripe-customers.ts";
import { badParam, StripeError, wrongState } from "./stripe-error.ts";
import { listOf } from "./stripe-list.ts";
import type { StripeParams } from "./stripe-params.ts";
import { authenticatePayment, confirmPayment, keepMethod, makePayment } from "./stripe-payments.ts";
import type { StripeCall, StripeRoute } from "./stripe-route.ts";
import { hiddenOf, type StripeObject, type StripeState } from "./stripe-state.ts";

const expirySeconds = 86_400;

function makeSession({ state, params, url }: StripeCall): StripeObject {
  const mode = params.oneOf("mode", ["payment", "subscription"]) ?? params.needed("mode");
  const lines = params.objects("line_items").map((item) => {
    const price = item.text("price");
    const data = item.object("price_data");
    if (price === null && data === null) item.needed("price");
    item.ignore("adjustable_quantity");
    return {
      price: price === null ? makePrice(state, data as StripeParams) : state.get("price", price),
      quantity: item.int("quantity") ?? 1,
    };
  });
  if (lines.length === 0)
    throw badParam("line_items", "You must provide line_items.", "parameter_missing");
  for (const { price } of lines) {
    if ((price["type"] === "recurring") === (mode === "subscription")) continue;
    if (mode === "subscription") continue;
    throw badParam("line_items", "A payment takes no recurring prices; use mode=subscription.");
  }
  const customer = params.text("customer");
  const total = lines.reduce(
    (sum, { price, quantity }) => sum + Number(price["unit_amount"]) * quantity,
    0,
  );
  const expiresAt = params.int("expires_at");
  if (expiresAt !== null && expiresAt < state.now() + 1_800) {
    throw badParam("expires_at", "The expires_at timestamp must be at least 30 minutes from now.");
  }
  const inner = params.object(
    mode === "subscription" ? "subscription_data" : "payment_intent_data",
  );
  const fields = {
    amount_subtotal: total,
    amount_total: total,
    cancel_url: params.text("cancel_url"),
    client_reference_id: params.text("client_reference_id"),
    currency: String(lines[0]?.price["currency"]),
    customer: customer === null ? null : state.get("customer", customer).id,
    customer_email: params.text("customer_email"),
    customer_details: null as object | null,
    expires_at: expiresAt ?? state.now() + expirySeconds,
    metadata: params.map("metadata"),
    mode,
    payment_intent: null as string | null,
    payment_status: "unpaid",
    status: "open",
    subscription: null as string | null,
    success_url: params.text("success_url"),
    url: null as string | null,
  };
  const innerMetadata = inner?.map("metadata") ?? {};
  const trialDays = mode === "subscription" ? (inner?.int("trial_period_days") ?? 0) : 0;
  inner?.ignore("description", "capture_method", "setup_future_usage");
  params.ignore(
    "payment_method_types",
    "customer_creation",
    "allow_promotion_codes",
    "locale",
    "billing_address_collection",
    "ui_mode",
  );
  params.done();
  const session = state.make("cs_test", "checkout.session", fields);
  session.url = `${url}/c/pay/${session.id}`;
  Object.assign(hiddenOf(session), { lines, inner: { metadata: innerMetadata, trialDays } });
  return session;
}

/** Pays a session with a test card. @throws StripeError (402) when it is declined. @returns where the person goes next. */
export function paySession(
  state: StripeState,
  session: StripeObject,
  { card, email, url }: { readonly card: string; readonly email: string; readonly url: string },
): string {
  assertOpen(session);
  const customer =
    (session["customer"] as string | null) ??
    makeCustomer(state, { email, name: null, metadata: {} }).id;
  const method = cardMethod(state, card);
  const { lines = [], inner } = hiddenOf(session);
  const { metadata, trialDays } = inner ?? { metadata: {}, trialDays: 0 };
  session["customer_details"] = { email, name: null, phone: null };
  if (session["mode"] === "subscription") {
    method["customer"] = customer;
    const subscription = makeSubscription(state, {
      customer,
      items: lines,
      method,
      metadata,
      trialDays,
      url,
    });
    if (subscription["status"] === "incomplete") {
      throw new StripeError(402, {
        type: "card_error",
        code: "card_declined",
        message: "Your card was declined.",
      });
    }
    session["customer"] = customer;
    session["subscription"] = subscription.id;
    return complete(state, session);
  }
  const known = session["payment_intent"];
  const intent =
    typeof known === "string"
      ? state.get("payment_intent", known)
      : makePayment(state, {
          amount: Number(session["amount_total"]),
          currency: String(session["currency"]),
          customer,
          metadata,
          description: null,
          captureMethod: "automatic",
        });
  session["customer"] = customer;
  session["payment_intent"] = intent.id;
  confirmPayment(state, intent, { method, offSession: false, url });
  if (intent["status"] === "requires_action") return `${url}/sca/${intent.id}`;
  keepMethod(state, intent);
  return complete(state, session);
}

function assertOpen(session: StripeObject): void {
  if (session["status"] === "open") return;
  throw wrongState(
    "checkout_session_unexpected_state",
    `This session is ${String(session["status"])}.`,
  );
}

function complete(state: StripeState, session: StripeObject): string {
  Object.assign(session, { status: "complete", payment_status: "paid", url: null });
  state.emit("checkout.session.completed", session);
  return String(session["success_url"] ?? "/").replace("{CHECKOUT_SESSION_ID}", session.id);
}

/** Ends sessions whose time is over. */
export function expireSessions(state: StripeState): void {
  for (const session of state.all("checkout.session")) {
    if (session["status"] === "open" && Number(session["expires_at"]) <= state.now())
      expire(state, session);
  }
}

function expire(state: StripeState, session: StripeObject): StripeObject {
  Object.assign(session, { status: "expired", url: null });
  state.emit("checkout.session.expired", session);
  return session;
}

/** Lines as the API shows them. */
function lineItems(session: StripeObject): object {
  const data = (hiddenOf(session).lines ?? []).map(({ price, quantity }, index) => ({
    id: `li_${session.id}_${index}`,
    object: "item",
    amount_total: Number(price["unit_amount"]) * quantity,
    currency: price["currency"],
    price,
    quantity,
  }));
  return {
    object: "list",
    has_more: false,
    url: `/v1/checkout/sessions/${session.id}/line_items`,
    data,
  };
}

/** Calls about checkout and the portal. */
export const checkoutRoutes: readonly StripeRoute[] = [
  { method: "POST", path: "/v1/checkout/sessions", run: (call) => makeSession(call) },
  {
    method: "GET",
    path: "/v1/checkout/sessions",
    run: (call) =>
      listOf(call, "checkout.session", "/v1/checkout/sessions", [
        "customer",
        "payment_intent",
        "subscription",
        "status",
      ]),
  },
  {
    method: "GET",
    path: "/v1/checkout/sessions/:id",
    run: ({ state, path }) => state.get("checkout.session", path["id"] ?? ""),
  },
  {
    method: "GET",
    path: "/v1/checkout/sessions/:id/line_items",
    run: ({ state, path }) => lineItems(state.get("checkout.session", path["id"] ?? "")),
  },
  {
    method: "POST",
    path: "/v1/checkout/sessions/:id/expire",
    run: ({ state, path }) => {
      const session = state.get("checkout.session", path["id"] ?? "");
      assertOpen(session);
      return expire(state, session);
    },
  },
  {
    method: "POST",
    path: "/v1/billing_portal/sessions",
    run: ({ state, params, url }) => {
      const customer = state.get("customer", params.needed("customer")).id;
      const returnUrl = params.text("return_url");
      params.done();
      const made = state.make("bps", "billing_portal.session", {
        customer,
        return_url: returnUrl,
        url: "",
      });
      made.url = `${url}/p/session/${made.id}`;
      return made;
    },
  },
];

/** What a page's form asks for. */
export interface PageAsk {
  readonly state: StripeState;
  readonly url: string;
  readonly path: string;
  readonly form: Readonly<Record<string, string>> | null;
}

/** A page: HTML, or where to go. Null: there is none at this address. */
export type PageAnswer = { readonly html: string } | { readonly goTo: string };

/** Answers the pages of checkout, of authentication and of the portal. */
export function answerPage(ask: PageAsk): PageAnswer | null {
  const [, kind = "", ...rest] = ask.path.split("/");
  const id = rest.at(-1) ?? "";
  if (kind === "c") return payPage(ask, ask.state.get("checkout.session", id));
  if (kind === "sca") return authenticationPage(ask, ask.state.get("payment_intent", id));
  if (kind === "p") return portalPage(ask, ask.state.get("billing_portal.session", id));
  return null;
}

function payPage({ state, url, path, form }: PageAsk, session: StripeObject): PageAnswer {
  if (session["status"] !== "open") {
    return {
      html: page("Checkout", `<h1>This session is ${escaped(String(session["status"]))}.</h1>`),
    };
  }
  let problem = "";
  if (form !== null) {
    if (form["do"] === "cancel") return { goTo: String(session["cancel_url"] ?? "/") };
    const given = { card: form["card"] ?? "", email: form["email"] ?? "", url };
    try {
      return { goTo: paySession(state, session, given) };
    } catch (error) {
      if (!(error instanceof StripeError)) throw error;
      problem = `<p role="alert"><strong>${escaped(error.message)}</strong></p>`;
    }
  }
  const rows = (hiddenOf(session).lines ?? [])
    .map(({ price, quantity }) => {
      const product = state.find(String(price["product"]));
      const amount = money(Number(price["unit_amount"]) * quantity, String(price["currency"]));
      return `<tr><td>${escaped(String(product?.["name"] ?? "Item"))} × ${quantity}</td><td>${amount}</td></tr>`;
    })
    .join("");
  const total = money(Number(session["amount_total"]), String(session["currency"]));
  const html = `<h1>Pay ${total}</h1>${problem}<table>${rows}</table>
<form method="post" action="${escaped(path)}"><label>E-mail<input name="email" type="email" required value="${escaped(String(session["customer_email"] ?? ""))}"></label>
<label>Card<select name="card"><option value="4242424242424242">4242 4242 4242 4242: succeeds</option><option value="4000002500003155">4000 0025 0000 3155: asks to authenticate</option><option value="4000000000000002">4000 0000 0000 0002: is declined</option><option value="4000000000009995">4000 0000 0000 9995: has no funds</option></select></label>
<button name="do" value="pay">Pay</button><button name="do" value="cancel" formnovalidate>Back to the shop</button></form>`;
  return { html: page(`Pay ${total}`, html) };
}

function authenticationPage({ state, path, form }: PageAsk, intent: StripeObject): PageAnswer {
  const session = state.all("checkout.session").find((one) => one["payment_intent"] === intent.id);
  if (form !== null) {
    const isDone = form["do"] === "complete";
    authenticatePayment(state, intent, isDone);
    if (session !== undefined && isDone) {
      keepMethod(state, intent);
      return { goTo: complete(state, session) };
    }
    if (session !== undefined) return { goTo: String(session["url"]) };
  }
  if (intent["status"] !== "requires_action") {
    return { html: page("Authentication", `<h1>Done: ${escaped(String(intent["status"]))}</h1>`) };
  }
  const html = `<h1>Your bank asks: is it you?</h1><form method="post" action="${escaped(path)}"><button name="do" value="complete">Complete authentication</button><button name="do" value="fail">Fail authentication</button></form>`;
  return { html: page("Authentication", html) };
}

function portalPage({ state, path, form }: PageAsk, portal: StripeObject): PageAnswer {
  const back = String(portal["return_url"] ?? "/");
  const mine = state.all("subscription").filter((one) => one["customer"] === portal["customer"]);
  if (form?.["do"] === "cancel") {
    const found = mine.find(({ id }) => id === form["subscription"]);
    if (found !== undefined) {
      const before = { cancel_at_period_end: found["cancel_at_period_end"] };
      Object.assign(found, { cancel_at_period_end: true, canceled_at: state.now() });
      state.emit("customer.subscription.updated", found, before);
    }
  }
  const rows = mine
    .map(
      (one) =>
        `<li>${escaped(one.id)}: ${escaped(String(one["status"]))}${one["cancel_at_period_end"] === true ? ", ends with its period" : `<form method="post" action="${escaped(path)}"><input type="hidden" name="subscription" value="${escaped(one.id)}"><button name="do" value="cancel">Cancel</button></form>`}</li>`,
    )
    .join("");
  return {
    html: page(
      "Billing",
      `<h1>Your subscriptions</h1><ul>${rows}</ul><p><a href="${escaped(back)}">Back</a></p>`,
    ),
  };
}

function money(amount: number, currency: string): string {
  return new Intl.NumberFormat("en", {
    style: "currency",
    currency: currency.toUpperCase(),
  }).format(amount / 100);
}
