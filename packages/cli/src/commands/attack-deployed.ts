// `keelson attack --url`: the outside part, against a deployed app of one's own. It reads only.
import { exits, Failure, usageFailure, type Exit } from "../flags/failure.ts";
import type { Flags } from "../flags/flag-parse.ts";
import type { Io } from "./command.ts";

/** Attacks from outside. @throws Failure when the server does not confirm that it may be attacked. */
export async function attackDeployed(url: string, flags: Flags, io: Io): Promise<Exit> {
  const token = flags.text("token");
  if (token === null || !URL.canParse(url)) {
    throw usageFailure({
      code: "FLAG_MISSING",
      what: "--url needs an address and --token.",
      why: "The server must confirm that whoever attacks it may: by the metrics token it was started with.",
      fix: "keelson attack --url https://shop.example --token <metrics token>",
    });
  }
  const { attackOutside, attackSender } = await import("@keelson/server/attack");
  const report = await attackOutside(attackSender(url), token);
  if (report === null) {
    throw new Failure(exits.unreachable, {
      code: "ATTACK_NOT_CONFIRMED",
      what: `${url} does not confirm that it may be attacked.`,
      why: "/metrics did not answer to this token. Nothing else was sent.",
      fix: "Check the address, and give the token that the server was started with.",
    });
  }
  const { terminal } = io;
  if (flags.on("json")) terminal.out(JSON.stringify(report));
  else {
    for (const { table, rows, fields } of report.tables) {
      const seen =
        rows === null ? "refused" : `${rows} rows, fields ${fields.join(", ") || "none"}`;
      terminal.out(`${table}  anybody: ${seen}`);
    }
    for (const { says, curl } of report.findings) terminal.out(`hole  ${says}\n      ${curl}`);
    for (const what of report.inconclusive) terminal.out(`open  ${what}`);
    terminal.out(`${report.verdict}: ${report.requests} requests, reads only`);
  }
  if (report.verdict === "clean") return exits.done;
  return report.verdict === "holes" ? exits.refused : exits.bug;
}
