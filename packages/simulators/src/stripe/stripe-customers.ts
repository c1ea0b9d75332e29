// Customers, products and prices.
import { badParam } from "./stripe-error.ts";
import { listOf } from "./stripe-list.ts";
import type { StripeParams } from "./stripe-params.ts";
import type { StripeRoute } from "./stripe-route.ts";
import type { StripeObject, StripeState } from "./stripe-state.ts";

/** A new customer. */
export function makeCustomer(
  state: StripeState,
  {
    email,
    name,
    metadata,
  }: {
    readonly email: string | null;
    readonly name: string | null;
    readonly metadata: Readonly<Record<string, string>>;
  },
): StripeObject {
  const customer = state.make("cus", "customer", {
    address: null,
    balance: 0,
    currency: null,
    default_source: null,
    delinquent: false,
    description: null,
    email,
    name,
    phone: null,
    invoice_settings: { default_payment_method: null },
    metadata,
  });
  state.emit("customer.created", customer);
  return customer;
}

function changeCustomer(
  state: StripeState,
  customer: StripeObject,
  params: StripeParams,
): StripeObject {
  const before: Record<string, unknown> = {};
  for (const field of ["email", "name", "phone", "description"] as const) {
    const value = params.text(field);
    if (value === null) continue;
    before[field] = customer[field];
    customer[field] = value;
  }
  const metadata = params.map("metadata");
  if (Object.keys(metadata).length > 0) {
    before["metadata"] = customer["metadata"];
    customer["metadata"] = { ...(customer["metadata"] as object), ...metadata };
  }
  const method = params.object("invoice_settings")?.text("default_payment_method") ?? null;
  if (method !== null) {
    before["invoice_settings"] = customer["invoice_settings"];
    customer["invoice_settings"] = {
      default_payment_method: state.get("payment_method", method).id,
    };
  }
  params.ignore("address", "shipping");
  params.done();
  state.emit("customer.updated", customer, before);
  return customer;
}

function deleteCustomer(state: StripeState, id: string): object {
  const customer = state.get("customer", id);
  state.emit("customer.deleted", customer);
  state.drop(id);
  return { id, object: "customer", deleted: true };
}

/** A price from what stands in `price_data`. */
export function makePrice(state: StripeState, params: StripeParams): StripeObject {
  const currency = params.needed("currency").toLowerCase();
  const unitAmount = params.int("unit_amount") ?? 0;
  const recurring = params.object("recurring");
  const interval = recurring?.oneOf("interval", ["day", "week", "month", "year"]) ?? null;
  const count = recurring?.int("interval_count") ?? 1;
  recurring?.ignore("usage_type", "trial_period_days");
  const given = params.text("product");
  const inline = params.object("product_data");
  if (given === null && inline === null) params.needed("product");
  const product =
    given === null ? makeProduct(state, inline as StripeParams) : state.get("product", given);
  return state.make("price", "price", {
    active: true,
    billing_scheme: "per_unit",
    currency,
    metadata: params.map("metadata"),
    nickname: params.text("nickname"),
    product: product.id,
    lookup_key: params.text("lookup_key"),
    recurring:
      interval === null ? null : { interval, interval_count: count, usage_type: "licensed" },
    type: interval === null ? "one_time" : "recurring",
    unit_amount: unitAmount,
    unit_amount_decimal: String(unitAmount),
  });
}

function makeProduct(state: StripeState, params: StripeParams): StripeObject {
  const name = params.needed("name");
  params.ignore("images", "tax_code", "unit_label", "url");
  return state.make("prod", "product", {
    active: true,
    description: params.text("description"),
    metadata: params.map("metadata"),
    name,
  });
}

/** Calls about customers, products and prices. */
export const customerRoutes: readonly StripeRoute[] = [
  {
    method: "POST",
    path: "/v1/customers",
    run: ({ state, params }) => {
      const method = params.text("payment_method");
      if (method !== null)
        throw badParam("payment_method", "Attach it once the customer is there.");
      params.ignore("address", "shipping", "phone", "description");
      const fields = {
        email: params.text("email"),
        name: params.text("name"),
        metadata: params.map("metadata"),
      };
      params.done();
      return makeCustomer(state, fields);
    },
  },
  {
    method: "GET",
    path: "/v1/customers",
    run: (call) => listOf(call, "customer", "/v1/customers", ["email"]),
  },
  {
    method: "GET",
    path: "/v1/customers/:id",
    run: ({ state, path }) => state.get("customer", path["id"] ?? ""),
  },
  {
    method: "POST",
    path: "/v1/customers/:id",
    run: ({ state, path, params }) =>
      changeCustomer(state, state.get("customer", path["id"] ?? ""), params),
  },
  {
    method: "DELETE",
    path: "/v1/customers/:id",
    run: ({ state, path }) => deleteCustomer(state, path["id"] ?? ""),
  },
  {
    method: "POST",
    path: "/v1/products",
    run: ({ state, params }) => {
      const product = makeProduct(state, params);
      params.done();
      state.emit("product.created", product);
      return product;
    },
  },
  {
    method: "GET",
    path: "/v1/products",
    run: (call) => listOf(call, "product", "/v1/products", ["active"]),
  },
  {
    method: "GET",
    path: "/v1/products/:id",
    run: ({ state, path }) => state.get("product", path["id"] ?? ""),
  },
  {
    method: "POST",
    path: "/v1/prices",
    run: ({ state, params }) => {
      const price = makePrice(state, params);
      params.done();
      state.emit("price.created", price);
      return price;
    },
  },
  {
    method: "GET",
    path: "/v1/prices",
    run: (call) => listOf(call, "price", "/v1/prices", ["product", "active", "lookup_key"]),
  },
  {
    method: "GET",
    path: "/v1/prices/:id",
    run: ({ state, path }) => state.get("price", path["id"] ?? ""),
  },
];
