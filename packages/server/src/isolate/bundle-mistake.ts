// esbuild's messages as mistakes of the app.
import type { Message } from "esbuild";
import { codeFrame, type AppMistake } from "../model/app-mistake.ts";
import { isOwn } from "./bundle-map.ts";

/** How esbuild begins its message; the rest speaks of the bundle's format. */
const topLevelAwait = "Top-level await";

/** @param failure what esbuild threw. @throws it again when it is none of esbuild's. */
export function mistakesOf(failure: unknown): readonly AppMistake[] {
  const { errors } = failure as { errors?: readonly Message[] };
  if (!Array.isArray(errors) || errors.length === 0) throw failure;
  return (errors as readonly Message[]).map(mistakeOf);
}

const nothingExported =
  /^Import "(?<name>.*)" will always be undefined because the file "(?<file>.*)" has no exports$/;

/** Names that the app's files import of a file that exports nothing: esbuild only warns of them, and what uses one throws. */
export function importsOfNothing(warnings: readonly Message[]): readonly AppMistake[] {
  return warnings.flatMap((warning) => {
    const { name = "", file = "" } = nothingExported.exec(warning.text)?.groups ?? {};
    if (name === "" || !isOwn(file) || !isOwn(warning.location?.file ?? "")) return [];
    const problem = `"${name}" is imported of ${file}, which exports nothing.`;
    const fix = file.endsWith("keelson/schema.ts")
      ? "In keelson/schema.ts: export const { query, mutation, rules, app } = define({ ... });"
      : "Export that name there, or import one that is exported.";
    return [{ ...mistakeOf(warning), problem, fix }];
  });
}

function mistakeOf(message: Message): AppMistake {
  const { location, text } = message;
  const problem = problemOf(text);
  const fix = fixFor(message);
  if (location === null || location.file === "keelson-entry.js") {
    return { file: "keelson/app.ts", line: 1, column: 1, problem, fix, frame: "" };
  }
  const { file, line, lineText } = location;
  const column = characters(lineText, location.column) + 1;
  return { file, line, column, problem, fix, frame: frameOf(lineText, line, column) };
}

function problemOf(text: string): string {
  if (text.startsWith(topLevelAwait)) return "`await` stands outside of every function.";
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** esbuild counts bytes of UTF-8. */
function characters(line: string, bytes: number): number {
  return Buffer.from(line, "utf8").subarray(0, bytes).toString("utf8").length;
}

function frameOf(lineText: string, line: number, column: number): string {
  const before = "\n".repeat(line - 1);
  return codeFrame(before + lineText, line, column)
    .split("\n")
    .filter((row) => !/^\s+\d+ \| $/.test(row))
    .join("\n");
}

function fixFor({ text, notes }: Message): string {
  if (text.includes("module of Node")) {
    return "Use a web API (fetch, crypto, URL, TextEncoder), or do this part outside of Keelson.";
  }
  if (text.startsWith(topLevelAwait)) {
    return "Modules are evaluated once, before any data is there: wait inside of `run`.";
  }
  if (text.startsWith("Could not resolve")) {
    const [, name = ""] = /"([^"]*)"/.exec(text) ?? [];
    return name.startsWith(".")
      ? "Write the path of a file that exists, with its extension: ./schema.ts."
      : `Install it beside the app: npm install ${name.split("/", name.startsWith("@") ? 2 : 1).join("/")}`;
  }
  if (/No matching export/.test(text))
    return "Export that name there, or import one that is exported.";
  return notes[0]?.text ?? "Mend the syntax here.";
}
