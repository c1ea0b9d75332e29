// `keelson attack`: who can reach what, proved by requests. The attack is the server's; here it is asked for,
// shown while it runs, and written where people and scripts want it.
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import type { AttackReport } from "@keelson/server/attack";
import { jsonFlag } from "../flags/command-spec.ts";
import { fileUnwritable } from "../flags/file-failure.ts";
import { exits, Failure, usageFailure, type Exit } from "../flags/failure.ts";
import type { Flags } from "../flags/flag-parse.ts";
import { makeProgress } from "../terminal/progress.ts";
import { appPlace } from "./app-place.ts";
import { attackDeployed } from "./attack-deployed.ts";
import type { Command, Io } from "./command.ts";
import { folderWord } from "./serve-flags.ts";

const seedMax = 2_147_483_647;

/** Attacks an app of one's own. */
export const attack: Command = {
  spec: {
    name: "attack",
    summary: "Proves who can reach what: attacks the app as everybody it knows of.",
    about: [
      "Starts the app on a loopback address with data made for it: rows of two owners in every state, a value in every field that stands nowhere else. Then it calls every table and function as nobody, as a stranger, as owners and members, and in every role that the rules name, and looks at every byte of every answer and every row of every commit. Work that a request leaves (queues, events, workflows) is done with it. Your own data is never touched, and nothing is sent anywhere else: what functions send is answered by the attack.",
      "A hole is a request that got, or changed, what is not the caller's: shown as curl, with the row, the rule, and what to write instead. A refusal counts only beside a request of the same kind that succeeded; what could not be tried is said, and is no pass.",
      "What is meant to be so is accepted with a reason, above the rule or function: // keelson-attack A202: a hold that ran out is nobody's any more. With the word open in the place of the code, what could not be shown is. Every report lists what is accepted.",
      "Exit status 0: no hole, all shown. 2: holes. 3: something could not be shown either way.",
    ],
    words: [folderWord],
    flags: [
      {
        name: "data",
        kind: "text",
        value: "<folder>",
        help: "Attacks a copy of this data, with the planted rows beside its own. Default: planted rows only.",
      },
      {
        name: "seed",
        kind: "int",
        value: "<number>",
        min: 0,
        max: seedMax,
        help: "Draws the same as the run that printed this seed. Default: a new one, printed.",
      },
      {
        name: "html",
        kind: "text",
        value: "<file>",
        help: "Also writes the report as one page, to read and to pass on.",
      },
      {
        name: "tests",
        kind: "text",
        value: "<folder>",
        help: "Also writes a test for each hole, for the app's own suite.",
      },
      jsonFlag,
      { name: "sarif", kind: "switch", help: "Prints SARIF 2.1.0, for code hosts and editors." },
      {
        name: "url",
        kind: "text",
        value: "<address>",
        help: "Attacks a deployed app of yours from outside, by reading only; needs --token.",
      },
      {
        name: "token",
        kind: "text",
        value: "<token>",
        help: "With --url: the server's KEELSON_METRICS_TOKEN, which proves that the app is yours.",
      },
    ],
    examples: [
      {
        line: "keelson attack",
        happens: "Prints the access of every identity to every table, then the holes.",
      },
      {
        line: "keelson attack --html report.html --tests test/holes",
        happens: "Also writes a page with all of it, and a failing test for each hole.",
      },
      {
        line: "keelson attack --seed 7 --json",
        happens: "Repeats the run of seed 7 and prints it for scripts.",
      },
      {
        line: "keelson attack --url https://shop.example --token $METRICS_TOKEN",
        happens: "Looks from outside at what anybody reads of a deployed app.",
      },
    ],
  },
  run: async (flags, io) => {
    if (flags.on("json") && flags.on("sarif")) {
      throw usageFailure({
        code: "FLAGS_EXCLUDE",
        what: "--json and --sarif were given together.",
        why: "Standard output carries one report.",
        fix: "Leave one of them out.",
      });
    }
    const url = flags.text("url");
    if (url !== null) return attackDeployed(url, flags, io);
    const { appDir } = appPlace(flags.word("folder"), flags, io);
    const report = await attacked(appDir, flags, io);
    await write(report, appDir, flags, io);
    await print(report, flags, io);
    return exitOf(report);
  },
};

async function attacked(appDir: string, flags: Flags, io: Io): Promise<AttackReport> {
  const data = flags.text("data");
  const { attackApp, openAttackTarget } = await import("@keelson/server/attack");
  const seed = flags.int("seed") ?? io.nowMs() % seedMax;
  io.terminal.note(`attack of ${appDir}, seed ${seed}`);
  const progress = makeProgress(io.terminal, "attack", io.nowMs);
  const place = { appDir, ...(data === null ? {} : { copyOf: resolve(io.cwd, data) }) };
  const stop = io.untilStopped();
  const target = await openAttackTarget(place);
  try {
    return await attackApp(target, {
      seed,
      stop,
      openLimited: () => openAttackTarget({ appDir, rateLimits: "declared" }),
      onProgress: (part, what) => progress.show(part, what),
    });
  } catch (error) {
    throw stop.aborted ? stopped(seed) : error;
  } finally {
    progress.end();
    await target.close();
  }
}

function stopped(seed: number): Failure {
  return new Failure(exits.bug, {
    code: "ATTACK_STOPPED",
    what: "The attack was stopped.",
    why: "What it had found so far is no proof, so nothing is told of it.",
    fix: `Run it again, and let it end: keelson attack --seed ${seed} is the same attack.`,
  });
}

async function write(report: AttackReport, appDir: string, flags: Flags, io: Io): Promise<void> {
  const html = flags.text("html");
  if (html !== null) {
    const { attackHtml } = await import("@keelson/server/attack");
    const at = new Date(io.nowMs()).toISOString().slice(0, 16).replace("T", " ");
    save(resolve(io.cwd, html), attackHtml(report, { app: basename(appDir), at: `${at} UTC` }));
  }
  const folder = flags.text("tests");
  if (folder === null) return;
  const holes = report.findings.filter(({ accepted }) => accepted === null);
  for (const [index, { code, subject, test }] of holes.entries()) {
    const name = `${code}-${subject.replaceAll(".", "-")}-${index + 1}.test.mjs`.toLowerCase();
    save(join(resolve(io.cwd, folder), name), test);
  }
}

function save(file: string, text: string): void {
  try {
    mkdirSync(resolve(file, ".."), { recursive: true });
    writeFileSync(file, text);
  } catch (cause) {
    throw fileUnwritable(file, cause);
  }
}

async function print(report: AttackReport, flags: Flags, io: Io): Promise<void> {
  const { terminal } = io;
  if (flags.on("json")) return terminal.out(JSON.stringify(report));
  const { attackSarif, attackText } = await import("@keelson/server/attack");
  if (flags.on("sarif")) {
    return terminal.out(JSON.stringify(attackSarif(report, io.version), null, 2));
  }
  for (const line of attackText(report, (tone, text) => terminal.tone(tone, text))) {
    terminal.out(line);
  }
}

/** 3 says to scripts that nothing could be said: by a bug of ours, or, here, for want of a proof. */
function exitOf({ verdict }: AttackReport): Exit {
  if (verdict === "clean") return exits.done;
  return verdict === "holes" ? exits.refused : exits.bug;
}
