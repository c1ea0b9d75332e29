// Checks of texts in code: keys of well-known services by their form, and long random texts under the name of a
// secret; and of the frontend, that it takes types from the backend and nothing else.
import { plain } from "../../model/rule-app.ts";
import type { SourceFile } from "../../model/rule-source.ts";
import type { AppReview } from "./app-review.ts";
import { textOf, walkNodes, type Expression, type Node } from "./syntax.ts";
import { isSecretName } from "./word-list.ts";

/** Forms that nothing else has. */
const keyForms: readonly (readonly [RegExp, string])[] = [
  [/\b[sr]k_live_[A-Za-z0-9]{16,}/, "a Stripe key"],
  [/\bwhsec_[A-Za-z0-9+/=]{16,}/, "the secret of a webhook"],
  [/\bAKIA[0-9A-Z]{16}\b/, "an AWS key"],
  [/\bgh[pousr]_[A-Za-z0-9]{36,}/, "a GitHub token"],
  [/\bxox[abpr]-[A-Za-z0-9-]{10,}/, "a Slack token"],
  [/\bAIza[0-9A-Za-z_-]{35}\b/, "a Google key"],
  [/\bsk-(?:proj-|ant-)?[A-Za-z0-9_-]{32,}/, "a key of an AI service"],
  [/-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/, "a private key"],
  [/\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}/, "a SendGrid key"],
  [
    /^(?:postgres(?:ql)?|mysql|mongodb(?:\+srv)?|amqp|redis):\/\/[^:/\s]+:[^@/\s]+@/,
    "an address with its password",
  ],
];

/** Looks at every literal of the backend and the frontend. */
export function checkSecrets(review: AppReview): void {
  for (const file of [...review.sources.files, ...review.browser.files]) {
    walkNodes(file.program, (node) => {
      if (node.type === "ImportDeclaration") return false;
      judgeText(review, file, node);
      return true;
    });
  }
}

function judgeText(review: AppReview, file: SourceFile, node: Node): void {
  const named = namedText(node);
  const text = textOf(node as Expression);
  const form = text === null ? undefined : keyForms.find(([pattern]) => pattern.test(text));
  if (form !== undefined) return say(review, file, node, form[1]);
  if (named === null || !isSecretName(named.name) || !looksRandom(named.text)) return;
  say(review, file, named.node, `what "${named.name}" holds`);
}

function say(review: AppReview, file: SourceFile, node: Node, what: string): void {
  review.say(
    "K403",
    { file, node },
    {
      says: `This is ${what}: everybody who can read the code has it, and it stays in the history.`,
      evidence: ["a literal in the source"],
      fix: "// Take it out, make a new one, and keep it where the code is not.",
    },
  );
}

/** `name = "text"`, `{ name: "text" }`. */
function namedText(
  node: Node,
): { readonly name: string; readonly text: string; readonly node: Node } | null {
  if (node.type === "VariableDeclarator" && node.id.type === "Identifier" && node.init !== null) {
    const text = textOf(node.init);
    return text === null ? null : { name: node.id.name, text, node: plain(node.init) as Node };
  }
  if (node.type !== "Property" || node.key.type !== "Identifier") return null;
  const text = textOf(node.value as Expression);
  return text === null ? null : { name: node.key.name, text, node: node.value as Node };
}

/** Long, of letters and digits mixed, with as many different ones as chance gives. */
function looksRandom(text: string): boolean {
  if (text.length < 20 || /\s/.test(text) || !/[0-9]/.test(text) || !/[A-Za-z]/.test(text))
    return false;
  const counts = new Map<string, number>();
  for (const each of text) counts.set(each, (counts.get(each) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values())
    bits -= (count / text.length) * Math.log2(count / text.length);
  return bits >= 3;
}

/** Values of the backend in the browser's bundle: its code, its rules, its secrets go along. */
export function checkBrowserImports(review: AppReview): void {
  for (const file of review.browser.files) {
    for (const statement of file.program.body) {
      if (statement.type !== "ImportDeclaration" && statement.type !== "ExportNamedDeclaration")
        continue;
      const { source } = statement;
      if (
        source === null ||
        !/(?:^|\/)keelson\/[\w./-]+$/.test(source.value) ||
        !source.value.startsWith(".")
      )
        continue;
      const isTypes =
        statement.type === "ImportDeclaration"
          ? statement.importKind === "type" ||
            (statement.specifiers.length > 0 &&
              statement.specifiers.every(
                (each) => each.type === "ImportSpecifier" && each.importKind === "type",
              ))
          : statement.exportKind === "type";
      if (isTypes || isShared(review, file.path, source.value)) continue;
      review.say(
        "K404",
        { file, node: statement },
        {
          says: "This takes the backend's code into the page: rules, functions and what they hold are there for everybody to read.",
          evidence: [`a value, not a type, is imported from ${source.value}`],
          fix: `import type app from "${source.value}";`,
        },
      );
    }
  }
}

/** A module without functions or tables, which both sides may use: formats, names of seats. */
function isShared(review: AppReview, from: string, specifier: string): boolean {
  const parts = [...from.split("/").slice(0, -1), ...specifier.split("/")];
  const path: string[] = [];
  for (const part of parts) {
    if (part === "..") path.pop();
    else if (part !== ".") path.push(part);
  }
  const file = review.sources.files.find((each) => each.path === path.join("/"));
  if (file === undefined) return false;
  return !file.program.body.some(
    (each) => each.type === "ImportDeclaration" && each.importKind !== "type",
  );
}
