// Where the tables and their fields stand in the schema's source: findings about a field point at the field.
import { plain } from "../../model/rule-app.ts";
import type { Manifest } from "../../model/manifest.ts";
import type { SourceFile, SourceSet } from "../../model/rule-source.ts";
import {
  argumentOf,
  entriesOf,
  memberName,
  walkNodes,
  type Expression,
  type Node,
} from "./syntax.ts";

/** A field's declaration. */
export interface FieldSource {
  readonly file: SourceFile;
  /** Its name. */
  readonly key: Node;
  readonly value: Expression;
}

/** A table's declaration. */
export interface TableSource {
  readonly file: SourceFile;
  readonly key: Node;
  readonly fields: ReadonlyMap<string, FieldSource>;
}

/** The tables that the sources declare, by name. The table `user` may be there without. */
export function findTableSources(
  manifest: Manifest,
  sources: SourceSet,
): ReadonlyMap<string, TableSource> {
  const found = new Map<string, TableSource>();
  for (const { name, at } of Object.values(manifest.tables)) {
    const file = sources.files.find((each) => each.path === at?.file);
    if (at === undefined || file === undefined) continue;
    walkNodes(file.program, (node) => {
      if (node.type !== "Property") return;
      const place = file.text.startsWith(name, node.key.start)
        ? sources.place(file, node.key)
        : null;
      if (place?.line !== at.line || place.column !== at.column) return;
      found.set(
        name,
        tableSource(sources, file, { key: node.key, value: node.value as Expression }),
      );
    });
  }
  return found;
}

function tableSource(
  sources: SourceSet,
  file: SourceFile,
  { key, value }: { readonly key: Node; readonly value: Expression },
): TableSource {
  const fields = new Map<string, FieldSource>();
  const place = tableCall(sources, file, value);
  for (const entry of place === null ? [] : entriesOf(place.fields)) {
    fields.set(entry.name, { file: place?.file ?? file, key: entry.key, value: entry.value });
  }
  return { file, key, fields };
}

/** The object of `table({...})` at the bottom of a chain, through constants. */
function tableCall(
  sources: SourceSet,
  file: SourceFile,
  node: Expression,
  hops = 0,
): { readonly file: SourceFile; readonly fields: Expression } | null {
  const target = plain(node);
  if (hops > 16) return null;
  if (target.type === "Identifier") {
    const found = sources.find(file, target.name);
    if (found?.kind !== "declared" || found.declared.kind !== "const") return null;
    return tableCall(sources, found.file, found.declared.init, hops + 1);
  }
  if (target.type !== "CallExpression") return null;
  const callee = plain(target.callee);
  if (callee.type === "MemberExpression" && memberName(callee) !== "table") {
    return tableCall(sources, file, callee.object, hops + 1);
  }
  const fields = argumentOf(target, 0);
  return fields === undefined ? null : { file, fields };
}

/** The call `t.text(...)` at the bottom of a field's chain; null when it is made elsewhere. */
export function fieldCall(value: Expression): (Expression & { type: "CallExpression" }) | null {
  const target = plain(value);
  if (target.type !== "CallExpression") return null;
  const callee = plain(target.callee);
  if (callee.type !== "MemberExpression") return null;
  const object = plain(callee.object);
  if (object.type === "Identifier") return target;
  return fieldCall(object);
}

/** The options of `t.text({...})`, `t.ref("x", {...})`. */
export function fieldOptions(value: Expression): Expression | null {
  const call = fieldCall(value);
  if (call === null) return null;
  const last = call.arguments.at(-1);
  return last?.type === "ObjectExpression" ? last : null;
}
