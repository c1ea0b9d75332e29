// Whether anybody looks at what a read gives. Says no only where that is certain: the result is dropped, or has a name
// that is printed and nothing else. A row that is absent does not throw by itself, so such a read guards nothing.
import type { DbOp } from "./flow-value.ts";
import { childNodes, nameChain, type Node } from "./syntax.ts";

/** Whether nobody looks at what a read gives. */
export function isUnused({ file, node }: DbOp): boolean {
  const around = pathTo(file.program, node);
  let at = around.length - 1;
  while (isAwait(around[at])) at -= 1;
  const holder = around[at];
  if (holder?.type === "ExpressionStatement") return true;
  if (holder?.type !== "VariableDeclarator" || holder.id.type !== "Identifier") return false;
  const { id } = holder;
  const scope = around.findLast(
    (each) => each.type === "BlockStatement" || each.type === "Program",
  );
  return scope !== undefined && namesIn(scope, id.name, []).every((path) => isPrinted(path, id));
}

/** The nodes around one, outermost first, without itself. */
function pathTo(top: Node, node: Node): readonly Node[] {
  const path: Node[] = [];
  let at: Node | undefined = top;
  while (at !== undefined && at !== node) {
    path.push(at);
    at = childNodes(at).find(({ start, end }) => start <= node.start && node.end <= end);
  }
  return path;
}

/** Everything below a node that is called so, each with what is around it. */
function namesIn(node: Node, name: string, around: readonly Node[]): readonly (readonly Node[])[] {
  const path = [...around, node];
  if (node.type === "Identifier") return node.name === name ? [path] : [];
  return childNodes(node).flatMap((child) => namesIn(child, name, path));
}

/** `console.log(row?.title)`; the declaration itself is no use either. */
function isPrinted(path: readonly Node[], declared: Node): boolean {
  let node = path.at(-1);
  if (node === declared) return true;
  for (const outer of path.toReversed().slice(1)) {
    if (outer.type === "CallExpression" && outer.callee !== node) {
      return nameChain(outer.callee)?.[0] === "console";
    }
    if (!passes(outer, node)) return false;
    node = outer;
  }
  return false;
}

/** Whether a value goes through an expression without being looked at: an absent one does not throw there. */
function passes(outer: Node, inner: Node | undefined): boolean {
  if (outer.type === "MemberExpression") {
    return outer.object === inner && (outer.optional || inner?.type === "MemberExpression");
  }
  return outer.type === "ChainExpression" || outer.type === "TemplateLiteral";
}

function isAwait(node: Node | undefined): boolean {
  return node?.type === "AwaitExpression" || node?.type === "TSNonNullExpression";
}
