// Expressions inside a function: literals of objects and lists, operators, `new`. What they are made of decides
// what is known of them.
import { keyName } from "../../model/rule-source-names.ts";
import { derived, itemOf, merged, unknownValue, type Scope, type Value } from "./flow-value.ts";
import type { FlowWalker } from "./flow-walker.ts";
import type { Expression } from "./syntax.ts";

/** `{ a, ...b }`. */
export function objectValue(
  walker: FlowWalker,
  node: Expression & { type: "ObjectExpression" },
  scope: Scope,
): Value {
  const fields = new Map<string, Value>();
  const spread: Value[] = [];
  let open = false;
  for (const property of node.properties) {
    if (property.type === "SpreadElement") {
      const value = walker.expression(property.argument, scope);
      if (value.thing.kind === "object") {
        for (const [name, field] of value.thing.fields) fields.set(name, field);
        spread.push(...value.thing.spread);
        open ||= value.thing.open;
      } else {
        spread.push(value);
        open = true;
      }
      continue;
    }
    const name = property.computed ? null : keyName(property.key);
    const value = walker.expression(property.value, scope);
    if (name === null) open = true;
    else fields.set(name, value);
  }
  const all = derived([...fields.values(), ...spread]);
  const pending = [...fields.values()].flatMap((value) => value.pending);
  return { ...all, thing: { kind: "object", fields, open, spread }, pending };
}

/** `[a, ...b]`. */
export function listValue(
  walker: FlowWalker,
  node: Expression & { type: "ArrayExpression" },
  scope: Scope,
): Value {
  const items = node.elements.flatMap((element): readonly Value[] => {
    if (element === null) return [];
    if (element.type === "SpreadElement")
      return [itemOf(walker.expression(element.argument, scope))];
    return [walker.expression(element, scope)];
  });
  const pending = items.flatMap((value) => value.pending);
  return { ...derived(items), thing: { kind: "list", items }, pending };
}

/** `a && b`, `a || b`, `a ?? b`. */
export function logicalValue(
  walker: FlowWalker,
  node: Expression & { type: "LogicalExpression" },
  scope: Scope,
): Value {
  const left = walker.expression(node.left, scope);
  if (node.operator !== "??") walker.test(left);
  const right = walker.expression(node.right, scope);
  return node.operator === "&&"
    ? { ...right, origins: derived([left, right]).origins }
    : merged([left, right]);
}

/** `a + b`, `a === b`. */
export function binaryValue(
  walker: FlowWalker,
  node: Expression & { type: "BinaryExpression" },
  scope: Scope,
): Value {
  const left =
    node.left.type === "PrivateIdentifier" ? unknownValue : walker.expression(node.left, scope);
  const right = walker.expression(node.right, scope);
  if (["+", "-", "*", "/", "%", "**"].includes(node.operator))
    return derived([left, right], "math");
  // A comparison tells one bit of what it compares; that bit is what conditions look at.
  const both = derived([left, right]);
  if (both.origins.has("me") && (left.origins.size > 0 || right.origins.size > 0))
    walker.test(both);
  return both;
}

/** `new A(b)`. */
export function madeValue(
  walker: FlowWalker,
  node: Expression & { type: "NewExpression" },
  scope: Scope,
): Value {
  const args = node.arguments.map((each) =>
    walker.expression(each.type === "SpreadElement" ? each.argument : each, scope),
  );
  const isDate = node.callee.type === "Identifier" && node.callee.name === "Date";
  return isDate && args.length === 0 ? derived([], "clock") : derived(args);
}
