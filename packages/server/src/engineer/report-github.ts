// Findings as commands of GitHub's workflows: they appear as annotations at their lines of a pull request.
import type { Finding, Severity } from "./finding.ts";

const commands: Readonly<Record<Severity, "error" | "warning" | "notice">> = {
  hole: "error",
  risk: "warning",
  cost: "warning",
  advice: "notice",
};

/** One line for each finding. @param folder of the app within the repository, with forward slashes; "" for its top. */
export function githubLines(findings: readonly Finding[], folder: string): readonly string[] {
  return findings.map(({ code, severity, title, says, why, fix, at }) => {
    const file = folder === "" ? at.file : `${folder}/${at.file}`;
    const place = `file=${property(file)},line=${at.line},col=${at.column},title=${property(`${code} ${title}`)}`;
    return `::${commands[severity]} ${place}::${message(`${says}\n${why}\nInstead: ${fix}`)}`;
  });
}

function message(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function property(text: string): string {
  return message(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
