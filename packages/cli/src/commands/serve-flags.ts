// Options that `dev` and `start` share.
import type { FlagSpec } from "../flags/command-spec.ts";
import { dataFlag } from "../flags/command-spec.ts";

/** In the order of help. */
export const serveFlags: readonly FlagSpec[] = [
  {
    name: "port",
    kind: "int",
    value: "<number>",
    min: 0,
    max: 65_535,
    help: "Where to listen; 0 takes any free port. Default: 4000.",
  },
  {
    name: "host",
    kind: "text",
    value: "<address>",
    help: "0.0.0.0 lets other machines in. Default: 127.0.0.1, this machine only.",
  },
  dataFlag,
  {
    name: "static",
    kind: "text",
    value: "<folder>",
    help: "A website to serve beside the API; paths without a file get its index.html. Default: none.",
  },
];

/** The word that both take. */
export const folderWord = {
  name: "folder",
  optional: true,
  help: "The app's folder: the one that holds keelson/app.ts. Default: the current folder.",
} as const;
