// `keelson version`.
import { jsonFlag } from "../flags/command-spec.ts";
import { exits } from "../flags/failure.ts";
import type { Command } from "./command.ts";

/** Prints the version of Keelson and of Node. */
export const version: Command = {
  spec: {
    name: "version",
    summary: "Prints which Keelson this is, and the Node it runs on.",
    about: [
      "Prints one line: put it into every report of a problem. An old Node that starts keelson hands over to the one that came with it, and that one is named here.",
    ],
    words: [],
    flags: [jsonFlag],
    examples: [
      {
        line: "keelson version",
        happens: "Prints, for example: keelson 0.1.0 (node 26.10.0, linux x64)",
      },
    ],
  },
  run: async (flags, { terminal, version }) => {
    const { node } = process.versions;
    const facts = { keelson: version, node, platform: process.platform, arch: process.arch };
    terminal.out(
      flags.on("json")
        ? JSON.stringify(facts)
        : `keelson ${version} (node ${node}, ${process.platform} ${process.arch})`,
    );
    return exits.done;
  },
};
