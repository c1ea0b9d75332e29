// `keelson token`: a signed token for a user, to try things out and for programs.
import { appFlag, dataFlag, jsonFlag } from "../flags/command-spec.ts";
import { parseDurationMs } from "../flags/duration.ts";
import { exits, usageFailure, type Exit } from "../flags/failure.ts";
import type { Command } from "./command.ts";
import { openDoor } from "./open-door.ts";

/** Issues a token. */
export const token: Command = {
  spec: {
    name: "token",
    summary: "Prints a token that calls the API as a user.",
    about: [
      "Finds the user by id, e-mail (of the row in the table user, or of the account) or name, and makes the row when there is none (with the e-mail or name that you wrote). The token is signed with the key in the data folder: whoever holds it is that user until it expires. It can't be taken back, so keep --ttl short.",
      "With --service, prints a key for a program that is nobody's: it has no other way in, does no more than its --scope, and is kept as a digest, so it is shown this once. The service is made when there is none of that name.",
      "Send it as: Authorization: Bearer <token>.",
    ],
    words: [],
    flags: [
      {
        name: "as",
        kind: "text",
        value: "<user>",
        help: "An id, e-mail or name. This or --service is needed.",
      },
      {
        name: "service",
        kind: "text",
        value: "<name>",
        help: "A key for a service, by name or id, in the place of a token for a person.",
      },
      {
        name: "scope",
        kind: "texts",
        value: "<scope>",
        help: "What the key may do: read, write, call:cinema.book, call:cinema.*, table:film:read. May be repeated. Default: all that the service may.",
      },
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
        help: "How long it is valid: 90s, 30m, 12h, 7d. Default: 12h; a key: until it is ended.",
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
        line: "keelson token --service=till-1 --scope=call:cinema.*",
        happens: "Prints a key for the program till-1, which may call what stands in cinema.ts.",
      },
      {
        line: 'curl -H "Authorization: Bearer $(keelson token --as=ada@example.com)" localhost:4000/api/tables/idea',
        happens: "Asks for what Ada may read.",
      },
    ],
  },
  run: async (flags, io) => {
    const user = flags.text("as");
    const service = flags.text("service");
    if (service !== null) return serviceKey(service, flags, io);
    if (user === null) {
      throw usageFailure({
        code: "FLAG_VALUE_MISSING",
        what: "Nothing says whom the token is for.",
        why: "A token is always somebody's.",
        fix: "Add --as=<id, e-mail or name>, or --service=<name>.",
      });
    }
    const ttlMs = parseDurationMs("ttl", flags.text("ttl") ?? "12h");
    const door = await openDoor(flags, io, "new");
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

async function serviceKey(
  service: string,
  flags: Parameters<Command["run"]>[0],
  io: Parameters<Command["run"]>[1],
): Promise<Exit> {
  const ttl = flags.text("ttl");
  const key = {
    role: flags.text("role"),
    scopes: flags.texts("scope"),
    ttlMs: ttl === null ? null : parseDurationMs("ttl", ttl),
  };
  const door = await openDoor(flags, io, "new");
  try {
    const issued = await door.serviceKey(service, key);
    io.terminal.out(flags.on("json") ? JSON.stringify(issued) : issued.token);
    const who = issued.created ? `${issued.user} (new)` : issued.user;
    const until = issued.expiresAt === null ? "until it is ended" : `until ${issued.expiresAt}`;
    io.terminal.note(io.terminal.tone("dim", `for ${who}, ${until}`));
    return exits.done;
  } finally {
    await door.close();
  }
}
