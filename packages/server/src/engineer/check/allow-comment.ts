// `// keelson-allow K101: the reason`: on the line of a finding, or alone on a line above it. A reason is asked for;
// one that allows nothing is itself a finding, so that reasons do not outlive what they explain.
import type { AllowedFinding, Finding } from "../finding.ts";
import type { AppReview } from "./app-review.ts";
import { checkCodes } from "./codes.ts";
import type { SourceFile } from "../../model/rule-source.ts";
import { lineColumn } from "../../model/rule-source.ts";

interface AllowComment {
  readonly file: SourceFile;
  readonly start: number;
  readonly end: number;
  readonly line: number;
  readonly column: number;
  /** The line that it speaks of. */
  readonly about: number;
  readonly codes: readonly string[];
  readonly reason: string;
}

/** Findings, split by whether the source allows them. */
export interface Sifted {
  readonly findings: readonly Finding[];
  readonly allowed: readonly AllowedFinding[];
}

const form = /^\s*keelson-allow\b\s*([A-Z]\d+(?:\s*,\s*[A-Z]\d+)*)?\s*(?::\s*([^]*))?/;

/** Takes out what the source allows, and says what is wrong with the comments that allow. */
export function siftAllowed(review: AppReview): Sifted {
  const comments = [...review.sources.files, ...review.browser.files].flatMap(commentsOf);
  const used = new Map<AllowComment, Set<string>>(comments.map((each) => [each, new Set()]));
  const findings: Finding[] = [];
  const allowed: AllowedFinding[] = [];
  for (const finding of review.findings) {
    const comment = comments.find((each) => allows(each, finding));
    if (comment === undefined) {
      findings.push(finding);
      continue;
    }
    used.get(comment)?.add(finding.code);
    const { file, line, column } = comment;
    allowed.push({ finding, reason: comment.reason, allowedAt: { file: file.path, line, column } });
  }
  const before = review.findings.length;
  for (const [comment, codes] of used) judge(review, comment, codes);
  return { findings: [...findings, ...review.findings.slice(before)], allowed };
}

function allows({ file, about, codes, reason }: AllowComment, { at, code }: Finding): boolean {
  return reason !== "" && file.path === at.file && about === at.line && codes.includes(code);
}

function judge(review: AppReview, comment: AllowComment, used: ReadonlySet<string>): void {
  const { file, start, end, codes, reason } = comment;
  const at = { file, node: { start, end } };
  if (codes.length === 0 || reason === "") {
    const missing = codes.length === 0 ? "which code it allows" : "why";
    review.say("K001", at, {
      says: `The comment does not say ${missing}, so it allows nothing.`,
      evidence: [file.text.slice(start, end)],
      fix: `// keelson-allow ${codes[0] ?? "K101"}: why this is right here`,
    });
    return;
  }
  for (const code of codes) {
    if (used.has(code)) continue;
    const isKnown = Object.hasOwn(checkCodes, code);
    review.say("K002", at, {
      says: isKnown ? `${code} is not found here (any more).` : `There is no code ${code}.`,
      evidence: [`the reason given: ${reason}`],
      fix: "Remove the comment.",
    });
  }
}

function commentsOf(file: SourceFile): readonly AllowComment[] {
  if (!file.text.includes("keelson-allow")) return [];
  return file.comments.flatMap(({ value, start, end }, index): readonly AllowComment[] => {
    const match = form.exec(value);
    if (match === null) return [];
    const { line, column } = lineColumn(file.text, start);
    const codes = (match[1] ?? "").split(/\s*,\s*/).filter((code) => code !== "");
    const lines = file.text.split("\n");
    const isAlone = lines[line - 1]?.slice(0, column - 1).trim() === "";
    // The reason goes on in the comments right below, and it speaks of the line after them. Another comment of
    // this kind begins anew: both speak of that line.
    const more: string[] = [];
    let about = isAlone ? lineColumn(file.text, end).line + 1 : line;
    let isOurs = true;
    for (const next of isAlone ? file.comments.slice(index + 1) : []) {
      if (lineColumn(file.text, next.start).line !== about) break;
      isOurs &&= !form.test(next.value);
      if (isOurs) more.push(next.value.trim());
      about = lineColumn(file.text, next.end).line + 1;
    }
    const reason = [match[2]?.trim() ?? "", ...more].join(" ").trim();
    return [{ file, start, end, line, column, about, codes, reason }];
  });
}
