// `keelson auth`: what an operator does with identity itself, as `keelson users` does with people.
import { appFlag, dataFlag, jsonFlag } from "../flags/command-spec.ts";
import { exits, usageFailure } from "../flags/failure.ts";
import type { Command } from "./command.ts";
import { openDoor } from "./open-door.ts";

/** Turns keys. */
export const auth: Command = {
  spec: {
    name: "auth",
    summary: "Turns the keys of id_tokens at once.",
    about: [
      "keelson auth rotate-keys turns away the keys that sign id_tokens for other systems (app({ auth: { clients } })), for when somebody may have seen one: none of them signs from then on, in any thread, and the next id_token has a key that is made for it. They stay published for the eleven minutes that what they signed a moment before is good, and are gone then: id_token_hints of theirs count no more.",
      "Clients read the keys again for one that they don't know. Nobody is signed out. Without it, keys turn by themselves every 90 days.",
      "With the server running or not. It is not for the server's own keys, keys.json in the data folder.",
    ],
    words: [{ name: "what", help: "rotate-keys." }],
    flags: [appFlag, dataFlag, jsonFlag],
    examples: [
      {
        line: "keelson auth rotate-keys",
        happens:
          "Signs no id_token with today's keys any more, and prints until when they are published.",
      },
    ],
  },
  run: async (flags, io) => {
    if (flags.needWord("what") !== "rotate-keys") {
      throw usageFailure({
        code: "WORD_UNKNOWN",
        what: `keelson auth can't ${flags.needWord("what")}.`,
        why: "It turns keys.",
        fix: "Write keelson auth rotate-keys.",
      });
    }
    const door = await openDoor(flags, io);
    try {
      const turned = (await door.procedure("auth.turnProviderKeys", null)) as {
        readonly publishedUntil: string;
      };
      if (flags.on("json")) io.terminal.out(JSON.stringify(turned));
      else {
        const { publishedUntil } = turned;
        io.terminal.out(
          `No key of before signs any more; they are published until ${publishedUntil}.`,
        );
      }
      return exits.done;
    } finally {
      await door.close();
    }
  },
};
