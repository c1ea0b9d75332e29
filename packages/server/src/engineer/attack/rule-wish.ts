// What a rule wishes of a row, and of the rows that it leads to, for somebody: `row.visit.doctor === me.id && row.open`
// wishes a row that is open, under a visit of the caller's. A row planted so meets every part of the rule at once.
import type { Json } from "../../base/json.ts";
import type { Manifest, TableModel } from "../../model/manifest.ts";
import type { RuleExpr, RuleValue } from "../../model/rule-ast.ts";
import type { Row } from "../../store/store.ts";
import { judgeValue } from "./judge-rule.ts";
import { flipped, valueBeside } from "./value-search.ts";
import type { World } from "./world.ts";

/** What fields should hold, by name, and what the rows that references lead to should be. */
export interface Wish {
  readonly fields: Readonly<Record<string, Json>>;
  readonly under: Readonly<Record<string, Wish>>;
}

/** Whose row it is to be, and when. */
export interface WishScene {
  readonly root: "row" | "next";
  readonly me: Readonly<Record<string, Json>>;
  readonly now: string;
  readonly world: World;
}

const waysMax = 4;
const nothing: Wish = { fields: {}, under: {} };

/** The ways to meet a rule; none: it can't be met by what a row holds. Parts that speak of other rows are left out. */
export function wishesOf(expr: RuleExpr, scene: WishScene): readonly Wish[] {
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- of the others a row by itself decides nothing
  switch (expr.kind) {
    case "and":
      return expr.parts
        .map((part) => wishesOf(part, scene))
        .reduce((left, right) => both(left, right), [nothing]);
    case "or":
      return expr.parts.flatMap((part) => wishesOf(part, scene)).slice(0, waysMax);
    case "constant":
      return expr.value === true ? [nothing] : [];
    case "truth":
      return held(expr.value, true, scene);
    case "not":
      return expr.part.kind === "truth" ? held(expr.part.value, false, scene) : [nothing];
    case "among":
      return expr.options
        .flatMap((option) => compared(expr.value, "==", option, scene))
        .slice(0, waysMax);
    case "compare":
      return compared(expr.left, expr.op, expr.right, scene);
    case "presence":
      if (!expr.present) return held(expr.of, null, scene);
      return isOfRow(expr.of, scene) || judged(expr.of, scene) !== null ? [nothing] : [];
    default:
      return [nothing];
  }
}

/** Whether a row is as wished. @param fields those of its table. */
export function isAsWished(row: Row, wish: Wish, fields: Fields, parts: WishedIn): boolean {
  if (Object.entries(wish.fields).some(([field, value]) => (row[field] ?? null) !== value)) {
    return false;
  }
  return Object.entries(wish.under).every(([field, below]) => {
    const spec = fields[field];
    if (spec?.kind !== "ref") return false;
    const parent = parts.world.row(spec.table, String(row[field]));
    const model = parts.manifest.tables[spec.table];
    return parent !== null && model !== undefined && isAsWished(parent, below, model.fields, parts);
  });
}

type Fields = TableModel["fields"];
interface WishedIn {
  readonly world: World;
  readonly manifest: Manifest;
}

function both(left: readonly Wish[], right: readonly Wish[]): readonly Wish[] {
  return left.flatMap((a) => right.map((b) => merged(a, b))).slice(0, waysMax);
}

function merged(a: Wish, b: Wish): Wish {
  const under = { ...a.under };
  for (const [field, wish] of Object.entries(b.under)) {
    under[field] = merged(under[field] ?? nothing, wish);
  }
  return { fields: { ...a.fields, ...b.fields }, under };
}

function compared(
  left: RuleValue,
  op: string,
  right: RuleValue,
  scene: WishScene,
): readonly Wish[] {
  if (isOfRow(right, scene) && !isOfRow(left, scene)) {
    return compared(right, flipped(op), left, scene);
  }
  if (!isKnown(right) || (!isOfRow(left, scene) && !isKnown(left))) return [nothing];
  const other = judged(right, scene);
  if (!isOfRow(left, scene)) {
    if (left.kind !== "path") return [nothing];
    const own = judged(left, scene);
    if (op === "==") return own !== null && own === other ? [nothing] : [];
    return op === "!=" && (own === null || own === other) ? [] : [nothing];
  }
  if (other === null) return [];
  if (op === "!=") return [nothing];
  const value = valueBeside(op, other);
  return value === null ? [nothing] : held(left, value, scene);
}

/** The wish that a value of the row holds this. */
function held(value: RuleValue, wanted: Json, scene: WishScene): readonly Wish[] {
  if (value.kind !== "path") return [nothing];
  if (!isOfRow(value, scene)) {
    if (value.root.kind !== "me") return [nothing];
    return judged(value, scene) === wanted ? [nothing] : [];
  }
  const [field = "id", ...rest] = value.steps.toReversed();
  let wish: Wish = { fields: { [field]: wanted }, under: {} };
  for (const step of rest) wish = { fields: {}, under: { [step]: wish } };
  return [wish];
}

function judged(value: RuleValue, { me, now, world }: WishScene): Json {
  return judgeValue(value, { row: null, next: null, me, now, world, items: {} });
}

function isOfRow(value: RuleValue, { root }: WishScene): boolean {
  return value.kind === "path" && value.root.kind === root;
}

/** Whether a value is the same whatever the row is. */
function isKnown({ kind, ...value }: RuleValue): boolean {
  if (kind === "literal" || kind === "now") return true;
  return "root" in value && value.root.kind === "me";
}
