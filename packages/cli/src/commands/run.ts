// `keelson run`: calls a function of the app and prints what it returns.
import type { Json } from "@keelson/sdk/spec";
import { appFlag, dataFlag, tokenFlag, urlFlag } from "../flags/command-spec.ts";
import { exits, usageFailure } from "../flags/failure.ts";
import type { Flags } from "../flags/flag-parse.ts";
import type { CallAs } from "../data/data-door.ts";
import type { Command } from "./command.ts";
import { openDoor } from "./open-door.ts";

/** Calls a function. */
export const run: Command = {
  spec: {
    name: "run",
    summary: "Calls a function of the app and prints its result.",
    about: [
      "Calls it on the running server when there is one, and on the data folder otherwise. Arguments and result are JSON; arguments are validated as ever.",
      "Without --as you call as the operator: nobody in particular (me.id is null), and `allow` is not asked, so functions that nobody outside may call can be run from here. With --as the call is made exactly as if that user had sent it.",
    ],
    words: [
      { name: "function", help: "module.name, as in POST /api/fn/module.name." },
      {
        name: "json",
        optional: true,
        help: "The arguments as a JSON object; - reads them from standard input. Default: {}.",
      },
    ],
    flags: [
      {
        name: "as",
        kind: "text",
        value: "<user>",
        help: "Calls as this user: an id, e-mail or name.",
      },
      {
        name: "role",
        kind: "text",
        value: "<role>",
        help: "With --as: the role in the call. Default: the one in the user's row.",
      },
      appFlag,
      dataFlag,
      urlFlag,
      tokenFlag,
    ],
    examples: [
      { line: "keelson run board.ranking", happens: "Prints the result as JSON." },
      {
        line: `keelson run board.add '{"title":"Free coffee"}' --as=ada@example.com`,
        happens: "Adds an idea as Ada, with her rights. Exit status 2 when the function refuses.",
      },
    ],
  },
  run: async (flags, io) => {
    const as = callAs(flags);
    const args = await argumentsOf(flags);
    const door = await openDoor(flags, io, "new");
    try {
      const { result, log } = await door.call(flags.needWord("function"), args, as);
      for (const { level, text } of log)
        io.terminal.note(io.terminal.tone("dim", `${level}: ${text}`));
      io.terminal.out(JSON.stringify(result, null, 2));
      return exits.done;
    } finally {
      await door.close();
    }
  },
};

function callAs(flags: Flags): CallAs | null {
  const user = flags.text("as");
  const role = flags.text("role");
  if (user !== null) return { user, role };
  if (role === null) return null;
  throw usageFailure({
    code: "FLAG_VALUE_MISSING",
    what: "--role needs --as.",
    why: "A role is somebody's.",
    fix: "Add --as=<user>.",
  });
}

async function argumentsOf(flags: Flags): Promise<Json> {
  const word = flags.word("json");
  const text = word === "-" ? await standardInput() : (word ?? "{}");
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw usageFailure({
      code: "JSON_INVALID",
      what: "The arguments are not JSON.",
      why: (error as Error).message,
      fix: `Put them in single quotes: keelson run ${flags.needWord("function")} '{"name":"value"}'`,
    });
  }
}

async function standardInput(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
