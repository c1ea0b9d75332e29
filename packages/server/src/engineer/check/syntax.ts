// Small questions about syntax trees that every check asks. Nothing here knows the app.
import { visitorKeys, type Expression, type Node } from "oxc-parser";
import { keyName } from "../../model/rule-source-names.ts";
import { plain } from "../../model/rule-app.ts";

export type { Expression, Node };

/** The nodes directly below a node, in source order. */
export function childNodes(node: Node): readonly Node[] {
  const found: Node[] = [];
  for (const key of visitorKeys[node.type] ?? []) {
    const value = (node as unknown as Readonly<Record<string, unknown>>)[key];
    for (const each of Array.isArray(value) ? (value as readonly unknown[]) : [value]) {
      if (isNode(each)) found.push(each);
    }
  }
  return found;
}

/** Calls `visit` for a node and all below it; it says `false` to leave out what is below. */
export function walkNodes(node: Node, visit: (node: Node) => boolean | void): void {
  if (visit(node) === false) return;
  for (const child of childNodes(node)) walkNodes(child, visit);
}

/** Whether a node or one below it fits. */
export function hasNode(node: Node, fits: (node: Node) => boolean): boolean {
  return fits(node) || childNodes(node).some((child) => hasNode(child, fits));
}

/** The name of a member access that is not computed, or computed by a literal; null otherwise. */
export function memberName(node: Expression & { type: "MemberExpression" }): string | null {
  if (!node.computed) return keyName(node.property);
  return node.property.type === "Literal" ? keyName(node.property) : null;
}

/** `a.b.c` as names from the left; null when it is not such a chain. */
export function nameChain(node: Expression): readonly string[] | null {
  const target = plain(node);
  if (target.type === "Identifier") return [target.name];
  if (target.type !== "MemberExpression") return null;
  const name = memberName(target);
  const before = nameChain(target.object);
  return name === null || before === null ? null : [...before, name];
}

/** A property of an object literal. */
export interface Entry {
  readonly name: string;
  readonly key: Node;
  readonly value: Expression;
}

/** The named properties of an object literal; spreads and computed keys are left out. */
export function entriesOf(node: Expression): readonly Entry[] {
  const object = plain(node);
  if (object.type !== "ObjectExpression") return [];
  return object.properties.flatMap((property): readonly Entry[] => {
    if (property.type !== "Property") return [];
    const name = property.computed ? null : keyName(property.key);
    return name === null ? [] : [{ name, key: property.key, value: property.value }];
  });
}

/** The value of a property of an object literal. */
export function entryOf(node: Expression | undefined, name: string): Expression | undefined {
  if (node === undefined) return undefined;
  return entriesOf(node).find((entry) => entry.name === name)?.value;
}

/** The text of a literal, or of a template without parts; null otherwise. */
export function textOf(node: Expression | undefined): string | null {
  if (node === undefined) return null;
  const target = plain(node);
  if (target.type === "Literal") return typeof target.value === "string" ? target.value : null;
  if (target.type !== "TemplateLiteral" || target.expressions.length > 0) return null;
  return target.quasis[0]?.value.cooked ?? null;
}

/** An argument that is no spread. */
export function argumentOf(
  call: Expression & { type: "CallExpression" | "NewExpression" },
  index: number,
): Expression | undefined {
  const found = call.arguments[index];
  return found === undefined || found.type === "SpreadElement" ? undefined : found;
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && "start" in value;
}
