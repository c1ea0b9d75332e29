// `keelson users`: people from elsewhere with their passwords, everybody as a file, and accounts that are closed. What it
// does is in users-import.ts, users-export.ts and users-close.ts, which load the server.
import { appFlag, dataFlag, jsonFlag } from "../flags/command-spec.ts";
import { usageFailure } from "../flags/failure.ts";
import type { Command } from "./command.ts";

const sources = "auth0|firebase|cognito|supabase|pocketbase|keelson";

/** Imports and exports users. */
export const users: Command = {
  spec: {
    name: "users",
    summary: "Takes users from Auth0, Firebase, Cognito...; writes all; closes one.",
    about: [
      "keelson users import takes users with their e-mail addresses, names, accounts elsewhere and, where the file has them, the hashes of their passwords: bcrypt, Firebase's scrypt, Argon2, PBKDF2 and scrypt. Nobody notices: a password is checked against the old hash once and hashed anew at that sign-in. Who has no hash (Cognito gives none out) asks for a new password by e-mail.",
      "An address counts as verified only where the file says so. A user whose address, or account elsewhere, is here already is left as they are, so the import can be started again. Each user is a transaction of their own.",
      "At the end it tells how many records it read, and that number is always created + there already + refused. <file>.imported.ndjson has a line for each: the old id, the new one, and what was not carried over. A later run writes a file of its own, <file>.imported.2.ndjson.",
      "Files: Auth0's user export (NDJSON, JSON or CSV), with --hashes for the file of hashes that its support hands out; Firebase's users.json of firebase auth:export, with --hash-config for the parameters that its console shows; aws cognito-idp list-users (JSON) or its CSV; the rows of Supabase's auth.users (CSV, NDJSON or JSON); PocketBase's pb_data/data.db itself, or rows of its users.",
      "keelson users export writes every user with address, hash, accounts elsewhere, keys (as digests), consents, the row of the app, passkeys and organisations, one JSON object a line. keelson users import --from=keelson brings back all of it but passkeys and organisations, under new ids, and leaves out guests, services and users with neither an address nor an account elsewhere; fields that refer to rows need a --map. Keep such a file as safe as the database.",
      "Not in it: authenticator apps (sealed with the server's keys, for the user's id), recovery codes (worth nothing without them), sessions and tickets (they open doors of this server only), the record of events, organisations themselves. keelson backup has all of that.",
      "keelson users close ends every session of a user and takes neither password nor key of theirs until keelson users open. Nothing of theirs is lost. With the server running or not.",
    ],
    words: [
      { name: "what", help: "import, export, close or open." },
      {
        name: "file",
        help: "The file to read, or to write. To close or open: the user's e-mail address, or id.",
      },
    ],
    flags: [
      {
        name: "from",
        kind: "text",
        value: `<${sources}>`,
        oneOf: sources.split("|"),
        help: "Where the file comes from. Needed to import.",
      },
      {
        name: "hash-config",
        kind: "text",
        value: "<file>",
        help: "Firebase: the password hash parameters, as its console shows them. Without it passwords are left behind.",
      },
      {
        name: "hashes",
        kind: "text",
        value: "<file>",
        help: "Auth0: the file of password hashes (NDJSON). Without it passwords are left behind.",
      },
      {
        name: "collection",
        kind: "text",
        value: "<name>",
        help: "PocketBase: the collection of users in data.db. Default: users.",
      },
      {
        name: "map",
        kind: "texts",
        value: "<path=field>",
        help: 'Puts a value of the record into a field of user: "user_metadata.plan=plan". May be repeated.',
      },
      { name: "overwrite", kind: "switch", help: "Export: replaces a file that is there." },
      appFlag,
      dataFlag,
      jsonFlag,
    ],
    examples: [
      {
        line: "keelson users import users.json --from=firebase --hash-config=hash.txt",
        happens:
          "Takes on every user of a Firebase project; they sign in here with the passwords that they have.",
      },
      {
        line: 'keelson users import export.ndjson --from=auth0 --hashes=hashes.ndjson --map "user_metadata.plan=plan"',
        happens: "Takes on users of Auth0, and puts their plan into the field plan.",
      },
      {
        line: "keelson users import pb_data/data.db --from=pocketbase",
        happens: "Takes on the users of a PocketBase out of its database.",
      },
      {
        line: "keelson users export users.ndjson",
        happens: "Writes every user of this app.",
      },
      {
        line: "keelson users close eve@example.com",
        happens: "Signs her out everywhere, and in nowhere, at once.",
      },
    ],
  },
  run: async (flags, io) => {
    switch (flags.needWord("what")) {
      case "import": {
        const { importUsers } = await import("./users-import.ts");
        return importUsers(flags, io);
      }
      case "export": {
        const { exportUsers } = await import("./users-export.ts");
        return exportUsers(flags, io);
      }
      case "close":
      case "open": {
        const { closeUser } = await import("./users-close.ts");
        return closeUser(flags, io, flags.needWord("what") === "close");
      }
      default:
        throw usageFailure({
          code: "WORD_UNKNOWN",
          what: `keelson users can't ${flags.needWord("what")}.`,
          why: "It imports, exports, closes and opens.",
          fix: "Write keelson users import <file> --from=<system>, keelson users export <file>, or keelson users close <address>.",
        });
    }
  },
};
