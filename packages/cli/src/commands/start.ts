// `keelson start`: what it teaches. What it does is in serve-app.ts, which loads the server.
import { appPlace } from "./app-place.ts";
import type { Command } from "./command.ts";
import { folderWord, serveFlags } from "./serve-flags.ts";

/** Serves an app in production. */
export const start: Command = {
  spec: {
    name: "start",
    summary: "Serves an app for others to use.",
    about: [
      "Answers tell no causes, files are not watched, and every request to the API, to identity or of a webhook is a line of JSON on standard output. So is what is likely amiss at the start: no SMTP server (KEELSON_SMTP_URL, KEELSON_MAIL_FROM), so that letters are not sent, no folder of the website, or fewer open files than connections need. What fails where no request tells it is a line with the event failure and its code. A change of the tables is applied when nothing can be lost; otherwise the server does not start and says what is in the way (see keelson migrate).",
      "A full disk refuses writes (DISK_FULL) and goes on answering reads; writes are taken again as soon as there is room. It is one line of the log when it begins, one with a count for each minute in which writes were refused, and one with the event recovered when writes succeed again. An overload and a database that fails are told the same way.",
      "A data folder that is removed or replaced under it is noticed with the next write: writes are refused with DATA_REMOVED until it is started again; reads go on, so that what it holds can still be saved.",
      "A log that can't be written (its reader is gone, its disk is full) ends nothing: lines are lost until there is room again, which standard error tells.",
      "SIGTERM or SIGINT ends it: new requests are refused, accepted ones are answered and made durable first, within 15 seconds. Exit status 9 when that was not enough; a second signal, more than a second after the first, ends it at once.",
    ],
    words: [folderWord],
    flags: [
      ...serveFlags,
      {
        name: "log",
        kind: "text",
        value: "<all|errors|none>",
        oneOf: ["all", "errors", "none"],
        help: "Which requests are logged. Default: all.",
      },
      {
        name: "threads",
        kind: "int",
        value: "<number>",
        min: 0,
        max: 64,
        help: "Threads that serve, beside the one that writes; 0: everything in one. Default: one for each core, at most 4; 1 on macOS and Windows, which do not spread connections over threads.",
      },
      {
        name: "public-url",
        kind: "text",
        value: "<address>",
        help: "Where people reach the app: https://tickets.example.com. Links in letters lead there, and with https cookies are for https only. Default: auth.url of app.ts.",
      },
      {
        name: "trust-proxy",
        kind: "switch",
        help: "Takes the caller's address and scheme from the proxy in front (the last entry of X-Forwarded-For; X-Forwarded-Proto). Needed behind one: without it all callers share one address and its limits, of which the log warns (PROXY_NOT_TRUSTED). Nobody else may reach the port then, as whoever does can name any address.",
      },
    ],
    examples: [
      {
        line: "keelson start --host=0.0.0.0 --port=80 --data=/var/lib/ideas --static=web",
        happens: "Serves the app of this folder to everybody, with its data in /var/lib/ideas.",
      },
    ],
  },
  run: async (flags, io) => {
    const place = appPlace(flags.word("folder"), flags, io);
    const { serveApp } = await import("./serve-app.ts");
    return serveApp(place, flags, io);
  },
};
