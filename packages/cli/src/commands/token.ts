// `keelson token`: a signed token for a user, to try things out and for programs.
import { appFlag, dataFlag, jsonFlag } from "../flags/command-spec.ts";
import { parseDurationMs } from "../flags/duration.ts";
import { exits, usageFailure } from "../flags/failure.ts";
import type { Command } from "./command.ts";
import { openDoor } from "./open-door.ts";

/** Issues a token. */
export const token: Command = {
  spec: {
    name: "token",
    summary: "Prints a token that calls the API as a user.",
    about: [
      "Finds the user by id, e-mail or name in the table user, and makes the row when there is none (with the e-mail or name that you wrote). The token is signed with the key in the data folder: whoever holds it is that user until it expires. It can't be taken back, so keep --ttl short.",
      "Send it as: Authorization: Bearer <token>.",
    ],
    words: [],
    flags: [
      { name: "as", kind: "text", value: "<user>", help: "An id, e-mail or name. Needed." },
      {
        name: "role",
        kind: "text",
        value: "<role>",
        help: "me.role in rules and functions. Default: the one in the user's row, which a new row gets from here.",
      },
      {
        name: "ttl",
        kind: "text",
        value: "<time>",
        help: "How long it is valid: 90s, 30m, 12h, 7d. Default: 12h.",
      },
      appFlag,
      dataFlag,
      jsonFlag,
    ],
    examples: [
      {
        line: "keelson token --as=ada@example.com --role=admin --ttl=1h",
        happens:
          "Prints a token for Ada (made when she is new) and nothing else on standard output.",
      },
      {
        line: 'curl -H "Authorization: Bearer $(keelson token --as=ada@example.com)" localhost:4000/api/tables/idea',
        happens: "Asks for what Ada may read.",
      },
    ],
  },
  run: async (flags, io) => {
    const user = flags.text("as");
    if (user === null) {
      throw usageFailure({
        code: "FLAG_VALUE_MISSING",
        what: "Nothing says whom the token is for.",
        why: "A token is always somebody's.",
        fix: "Add --as=<id, e-mail or name>.",
      });
    }
    const ttlMs = parseDurationMs("ttl", flags.text("ttl") ?? "12h");
    const door = await openDoor(flags, io);
    try {
      const issued = await door.token(user, flags.text("role"), ttlMs);
      io.terminal.out(flags.on("json") ? JSON.stringify(issued) : issued.token);
      const who = issued.created ? `${issued.user} (new)` : issued.user;
      io.terminal.note(
        io.terminal.tone(
          "dim",
          `for ${who}, role ${issued.role ?? "none"}, until ${issued.expiresAt}`,
        ),
      );
      return exits.done;
    } finally {
      await door.close();
    }
  },
};
