// Prints a rule back as JavaScript: for explanations of parts that come from elsewhere than the rule's own
// text, and for tests (what is printed and read again is the same expression).
import type { RuleExpr, RuleRoot, RuleValue } from "./rule-ast.ts";

/** How to print. */
export interface RulePrintOptions {
  /** `row.film?.owner` in place of `row.film.owner`. Default false. */
  readonly optionalChains?: boolean;
  /** Text in place of a path or `now`: for showing values. Default: as it is. */
  readonly show?: (value: RuleValue) => string | undefined;
}

/** How tightly an operator binds; a part that binds less than its place asks for gets parentheses. */
const binds = {
  choose: 1,
  or: 2,
  and: 3,
  equal: 4,
  order: 5,
  add: 6,
  times: 7,
  unary: 8,
  member: 9,
};

/** Prints an expression or a value. */
export function printRule(node: RuleExpr | RuleValue, options: RulePrintOptions = {}): string {
  return print(node, 0, options);
}

function print(node: RuleExpr | RuleValue, place: number, options: RulePrintOptions): string {
  const [level, text] = spell(node, options);
  return level < place ? `(${text})` : text;
}

function spell(node: RuleExpr | RuleValue, options: RulePrintOptions): readonly [number, string] {
  const at = (part: RuleExpr | RuleValue, place: number): string => print(part, place, options);
  switch (node.kind) {
    case "constant":
      return [binds.member, node.value === null ? "unknown" : String(node.value)];
    case "truth":
      return spell(node.value, options);
    case "compare": {
      const equality = node.op === "==" || node.op === "!=";
      const level = equality ? binds.equal : binds.order;
      const op = equality ? `${node.op}=` : node.op;
      return [level, `${at(node.left, level + 1)} ${op} ${at(node.right, level + 1)}`];
    }
    case "presence": {
      // A path across references may end in undefined, which only the loose comparison takes for null.
      const isDirect =
        node.of.kind === "path" && node.of.root.kind !== "me" && node.of.through.length === 0;
      const op = `${node.present ? "!=" : "=="}${isDirect ? "=" : ""}`;
      return [binds.equal, `${at(node.of, binds.equal + 1)} ${op} null`];
    }
    case "and":
      return [binds.and, node.parts.map((part) => at(part, binds.and)).join(" && ")];
    case "or":
      return [binds.or, node.parts.map((part) => at(part, binds.or)).join(" || ")];
    case "not":
      return [binds.unary, `!${at(node.part, binds.unary)}`];
    case "among": {
      const list = node.options.map((option) => at(option, 0)).join(", ");
      return [binds.member, `[${list}].includes(${at(node.value, 0)})`];
    }
    case "contains":
      return [binds.member, `${at(node.list, binds.member)}.includes(${at(node.value, 0)})`];
    case "text":
      return [binds.member, `${at(node.subject, binds.member)}.${node.op}(${at(node.value, 0)})`];
    case "some": {
      const where = at(node.where, 0);
      return [binds.member, `db.${node.table}.some((${node.alias}) => ${where})`];
    }
    case "if":
    case "choose": {
      const when = at(node.when, binds.choose + 1);
      return [
        binds.choose,
        `${when} ? ${at(node.yes, binds.choose)} : ${at(node.no, binds.choose)}`,
      ];
    }
    case "literal":
      return literal(node.value);
    case "now":
      return [binds.member, options.show?.(node) ?? "now"];
    case "path": {
      const dot = options.optionalChains === true ? "?." : ".";
      const path = [rootName(node.root), ...node.steps].join(dot);
      return [binds.member, options.show?.(node) ?? path];
    }
    case "arithmetic": {
      const level = node.op === "+" || node.op === "-" ? binds.add : binds.times;
      return [level, `${at(node.left, level)} ${node.op} ${at(node.right, level + 1)}`];
    }
    case "length":
      return [binds.member, `${at(node.of, binds.member)}.length`];
    default:
      return node satisfies never;
  }
}

function rootName(root: RuleRoot): string {
  return root.kind === "item" ? root.alias : root.kind;
}

function literal(value: boolean | number | string | null): readonly [number, string] {
  if (typeof value === "string") return [binds.member, JSON.stringify(value)];
  const isNegative = typeof value === "number" && (value < 0 || Object.is(value, -0));
  return [isNegative ? binds.unary : binds.member, Object.is(value, -0) ? "-0" : String(value)];
}
