// `keelson verify`: whether the data is whole and keeps what the app promised.
import { appFlag, dataFlag, jsonFlag } from "../flags/command-spec.ts";
import { exits } from "../flags/failure.ts";
import type { Command } from "./command.ts";
import { openDoor } from "./open-door.ts";

/** Checks the database and the app's invariants. */
export const verify: Command = {
  spec: {
    name: "verify",
    summary: "Checks the database, and the invariants that the app declares.",
    about: [
      "First the database itself: its pages, its indexes, its references. Then every query that app.ts lists under invariants: each must return true on the data as it is. Reads only; works while the server runs.",
    ],
    words: [],
    flags: [appFlag, dataFlag, jsonFlag],
    examples: [
      {
        line: "keelson verify",
        happens:
          "Prints one line for the database and one for each invariant. Exit status 2 when one does not hold.",
      },
    ],
  },
  run: async (flags, io) => {
    const { terminal } = io;
    const door = await openDoor(flags, io);
    try {
      const { integrity, invariants } = await door.verify();
      const isSound = integrity.length === 0 && invariants.every(({ holds }) => holds);
      if (flags.on("json")) {
        terminal.out(JSON.stringify({ isSound, integrity, invariants }));
        return isSound ? exits.done : exits.refused;
      }
      terminal.out(
        integrity.length === 0
          ? "holds   the database is whole"
          : "BROKEN  the database is damaged",
      );
      for (const line of integrity) terminal.out(`          ${line}`);
      for (const { name, holds, problem } of invariants) {
        terminal.out(
          `${holds ? "holds " : "BROKEN"}  ${name}${problem === null ? "" : `: ${problem}`}`,
        );
      }
      if (invariants.length === 0)
        terminal.note(
          "The app declares no invariants: app({ invariants: [...] }) in keelson/app.ts.",
        );
      return isSound ? exits.done : exits.refused;
    } finally {
      await door.close();
    }
  },
};
