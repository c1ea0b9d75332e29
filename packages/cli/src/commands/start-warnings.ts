// What a server can start with and is likely not meant so: said once, at its start.
import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import type { RunningServer } from "@keelson/server";
import type { Flags } from "../flags/flag-parse.ts";
import type { Io } from "./command.ts";

/** What is amiss, and what to do. */
export interface StartWarning {
  readonly problem: string;
  readonly fix: string;
}

/** `--static` names no folder: the server answers as if it were not there, and looks again at each request. */
export function staticWarning(flags: Flags, io: Io): StartWarning | null {
  const written = flags.text("static");
  if (written === null) return null;
  const folder = resolve(io.cwd, written);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return null;
  return {
    problem: `--static=${written}: there is no folder ${folder}, so no website is served.`,
    fix: "Name the folder that holds index.html, or build the website first.",
  };
}

/** Fewer than connections at a busy hour, and their files: then nobody else is let in, and nothing says why. */
const openFilesMin = 4_096;

/** Every connection is an open file. Node takes as many as it may have; what the system allows is told on Linux alone. */
export function filesWarning(limits = systemLimits()): StartWarning | null {
  const [, hard] = /^Max open files +\S+ +(\d+)/m.exec(limits) ?? [];
  if (hard === undefined || Number(hard) >= openFilesMin) return null;
  return {
    problem: `This process may open ${hard} files, connections among them: when all are in use, others wait without an answer.`,
    fix: "Allow more: LimitNOFILE=65536 in a unit of systemd, ulimit -n 65536 in a shell.",
  };
}

function systemLimits(): string {
  try {
    return readFileSync("/proc/self/limits", "utf8");
  } catch {
    return "";
  }
}

/** In production letters leave over SMTP alone. @param auth what the app says of identity. */
export function lettersWarning(
  auth: ReturnType<RunningServer["current"]>["manifest"]["auth"],
  env: Io["env"],
): StartWarning | null {
  if ((env["KEELSON_SMTP_URL"] ?? "") !== "") return null;
  // An app that says nothing of identity has passwords, links and codes.
  const isSending =
    auth === undefined ||
    auth.password !== null ||
    auth.magicLink ||
    auth.emailCode ||
    auth.organisations !== null;
  if (!isSending) return null;
  return {
    problem: "Letters (links, codes, invitations) are not sent: KEELSON_SMTP_URL is not set.",
    fix: "Set KEELSON_SMTP_URL (smtps://user:password@mail.example.com:465) and KEELSON_MAIL_FROM (Name <address@example.com>).",
  };
}
