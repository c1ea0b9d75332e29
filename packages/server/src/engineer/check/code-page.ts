// The page of a code: what the documentation holds and `keelson check --explain` prints. Made from the table of
// codes, so that both say the same and the examples are the ones that are tested.
import type { Category, Severity } from "../finding.ts";
import type { CheckCode } from "./check-code.ts";
import { checkCodeNames, checkCodes, type CheckCodeName } from "./codes.ts";
import { exampleApp } from "./example-app.ts";

const severityTexts: Readonly<Record<Severity, string>> = {
  hole: "somebody can read or change what they should not",
  risk: "data can become wrong or be lost",
  cost: "it is slow or expensive when it grows",
  advice: "a decision that nobody has written down",
};

const categoryTexts: Readonly<Record<Category, string>> = {
  trust: "Trust",
  data: "Data",
  queries: "Queries",
  functions: "Functions",
  change: "Change",
  review: "The review itself",
};

/** Whether there is such a code. */
export function isCheckCode(name: string): name is CheckCodeName {
  return Object.hasOwn(checkCodes, name);
}

/** The page of one code, as Markdown. */
export function codePage(name: CheckCodeName): string {
  const code: CheckCode = checkCodes[name];
  return `# ${name}: ${code.title}

**${code.severity}** (${severityTexts[code.severity]}). ${code.why}

${code.about}

## Found

${fenced(code.bad)}
## Not found

${fenced(code.good)}
## When it is right as it is

Say why, on the line or above it. The reason stands in every report.

\`\`\`ts
// keelson-allow ${name}: why this is right here
\`\`\`
`;
}

/** The list of all codes, as Markdown, with the app that the examples stand on. */
export function codeIndex(): string {
  const sections = (Object.keys(categoryTexts) as Category[]).map((category) => {
    const rows = checkCodeNames
      .filter((name) => checkCodes[name].category === category)
      .map((name) => {
        const { severity, title, why } = checkCodes[name];
        return `| [${name}](${name}.md) | ${severity} | ${title} | ${why} |`;
      });
    return `## ${categoryTexts[category]}\n\n| code | severity | what | why it matters |\n| --- | --- | --- | --- |\n${rows.join("\n")}\n`;
  });
  const severities = Object.entries(severityTexts).map(([name, text]) => `- **${name}**: ${text}.`);
  const files = Object.entries(exampleApp).map(([path, text]) => `// ${path}\n${text}`);
  return `# What keelson check finds

\`keelson check\` reads an app (its tables, rules and functions, the engine's query plans, a pending migration) and says what a backend
engineer would say, with the place, the evidence and the fix. It says only what it can show; what needs proof is for
\`keelson attack\`. It needs no network and no database, and says the same twice. Codes are for ever; texts may change.

${severities.join("\n")}

${sections.join("\n")}
## The app of the examples

The examples show only the files that matter; the others are these.

\`\`\`ts
${files.join("\n").trim()}
\`\`\`
`;
}

function fenced(example: string): string {
  return `\`\`\`ts\n${example.trim()}\n\`\`\`\n`;
}
