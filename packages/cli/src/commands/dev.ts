// `keelson dev`: what it teaches. What it does is in dev-session.ts, which loads the server.
import { exits } from "../flags/failure.ts";
import { appPlace } from "./app-place.ts";
import type { Command } from "./command.ts";
import type { FlagSpec } from "../flags/command-spec.ts";
import { folderWord, serveFlags } from "./serve-flags.ts";
import { staticWarning } from "./start-warnings.ts";

const quietWork: FlagSpec = {
  name: "quiet-work",
  kind: "switch",
  help: "Leaves out the lines of jobs, events, crons and workflows.",
};

/** Serves an app in development. */
export const dev: Command = {
  spec: {
    name: "dev",
    summary: "Serves an app while you write it: reloads when you save.",
    about: [
      "Prints the address, every table with its rows and who may do what, every function with who may call it, and what works on its own: events, queues, consumers, crons, hooks and workflows. Then one line for each request, with what the function wrote to the console, which clause of a rule denied, and the index that a query wants.",
      "Work that runs later has its lines too: each job, event, cron tick and step of a workflow, how it ended, and what it wrote to the console. Those that shared a transaction are told together. --quiet-work leaves them out.",
      "Saving a file reloads the app in a fraction of a second; requests wait for that moment and none is lost. When the app has a mistake, it is shown with its place and what to write instead, and the last good version goes on being served. Tables follow the schema as long as nothing is lost; for the rest see keelson migrate. A data folder that is removed is how to begin anew: it is told, and the server starts again with what is there then, at the latest with the next write or save.",
      "The templates of letters (keelson/mail) and the sheet of identity's pages (keelson/auth.css) count from the moment that they are saved; one that can't be used is told, with why. What goes wrong where no request tells it, a letter that is not delivered for one, is a line that begins with failure: told once, and with a count when it goes on.",
      "Errors tell callers their cause. For others to use the app, run keelson start. Ctrl-C ends it; started by npm run, it ends with npm.",
    ],
    words: [folderWord],
    flags: [...serveFlags, quietWork],
    examples: [
      { line: "keelson dev", happens: "Serves the app of this folder at http://localhost:4000." },
      {
        line: "keelson dev ideas --port=4100 --static=ideas/web",
        happens: "Serves the app in the folder ideas, with its page, at http://localhost:4100.",
      },
    ],
  },
  run: async (flags, io) => {
    const place = appPlace(flags.word("folder"), flags, io);
    const stop = io.untilStopped();
    const website = staticWarning(flags, io);
    if (website !== null) {
      io.terminal.note(io.terminal.tone("yellow", `${website.problem} ${website.fix}`));
    }
    const { DevSession } = await import("./dev-session.ts");
    const session = new DevSession(flags, io, place);
    try {
      await session.run(stop);
      return exits.done;
    } finally {
      await session.close();
    }
  },
};
