// `expand`: objects in the place of their ids (https://docs.stripe.com/api/expanding_objects).
import { badParam } from "./stripe-error.ts";
import type { StripeState } from "./stripe-state.ts";

const depthMax = 4;

/** A copy with these paths expanded: `customer`, `data.customer`, `latest_invoice.customer`. */
export function expanded(state: StripeState, made: object, paths: readonly string[]): object {
  if (paths.length === 0) return made;
  const copy = structuredClone(made) as Record<string, unknown>;
  for (const path of paths) {
    const steps = path.split(".");
    if (steps.length > depthMax) throw badParam("expand", "You cannot expand more than 4 levels.");
    expandAt(state, copy, steps, path);
  }
  return copy;
}

function expandAt(
  state: StripeState,
  at: Record<string, unknown>,
  [step = "", ...rest]: readonly string[],
  path: string,
): void {
  if (!Object.hasOwn(at, step)) {
    throw badParam("expand", `This property cannot be expanded (${path}).`);
  }
  const value = at[step];
  if (Array.isArray(value)) {
    for (const item of value as Record<string, unknown>[]) expandAt(state, item, rest, path);
    return;
  }
  if (typeof value === "string") {
    const found = state.find(value);
    if (found !== null) at[step] = structuredClone(found);
  }
  const next = at[step];
  if (rest.length > 0 && typeof next === "object" && next !== null) {
    expandAt(state, next as Record<string, unknown>, rest, path);
  }
}
