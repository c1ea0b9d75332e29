// Lists: newest first, paged by id, filtered by what callers name (https://docs.stripe.com/api/pagination).
import { badParam } from "./stripe-error.ts";
import type { StripeCall } from "./stripe-route.ts";
import type { StripeObject } from "./stripe-state.ts";

/**
 * One page of a kind.
 * @param filters parameters that are compared with the field of the same name. @param keeps what else must be so.
 */
export function listOf(
  { state, params, path }: StripeCall,
  kind: string,
  url: string,
  filters: readonly string[] = [],
  keeps: (object: StripeObject) => boolean = () => true,
): object {
  const limit = params.int("limit") ?? 10;
  if (limit < 1 || limit > 100) throw badParam("limit", "Limit must be between 1 and 100");
  const after = params.text("starting_after");
  const before = params.text("ending_before");
  const wanted = filters.map((name) => [name, params.text(name) ?? path[name] ?? null] as const);
  const made = params.object("created");
  const bounds = (["gt", "gte", "lt", "lte"] as const).map(
    (name) => [name, made?.int(name) ?? null] as const,
  );
  const all = state
    .all(kind)
    .filter(
      (object) =>
        keeps(object) &&
        wanted.every(([name, value]) => value === null || fits(object[name], value)) &&
        bounds.every(
          ([name, value]) => value === null || within(Number(object["created"]), name, value),
        ),
    );
  const start = after === null ? 0 : indexOf(all, after) + 1;
  const end = before === null ? all.length : indexOf(all, before);
  const page =
    before === null ? all.slice(start, start + limit) : all.slice(Math.max(0, end - limit), end);
  const hasMore = before === null ? start + page.length < all.length : end - page.length > 0;
  return { object: "list", url, has_more: hasMore, data: page };
}

function fits(field: unknown, value: string): boolean {
  return field === value || String(field) === value;
}

function within(created: number, name: "gt" | "gte" | "lt" | "lte", bound: number): boolean {
  if (name === "gt") return created > bound;
  if (name === "gte") return created >= bound;
  return name === "lt" ? created < bound : created <= bound;
}

function indexOf(all: readonly StripeObject[], id: string): number {
  const index = all.findIndex((object) => object.id === id);
  if (index < 0) throw badParam("starting_after", `No such object: '${id}'`, "resource_missing");
  return index;
}
