// Every transaction of identity, by name: host/platform-procedures.ts hands them to the writer.
import type { Procedure, Procedures } from "../gate/gate-app.ts";
import { changeProcedures } from "./account/change.ts";
import { confirmProcedures } from "./account/confirm.ts";
import { deleteProcedures } from "./account/delete.ts";
import { emailCodeProcedures } from "./account/email-code.ts";
import { guestProcedures } from "./account/guest.ts";
import { keyProcedures } from "./account/keys.ts";
import { magicLinkProcedures } from "./account/magic-link.ts";
import { operatorProcedures } from "./account/operate.ts";
import { refreshSession } from "./account/refresh.ts";
import { resetProcedures } from "./account/reset.ts";
import { sessionProcedures } from "./account/sessions.ts";
import { signInProcedures } from "./account/sign-in.ts";
import { signUpProcedures } from "./account/sign-up.ts";
import { upkeepProcedures } from "./account/upkeep.ts";
import type { AuthProcedure } from "./auth-desk.ts";
import { functionProcedures } from "./auth-functions.ts";
import { importUser } from "./import/import-procedure.ts";
import { protocolProcedures } from "./protocol-procedures.ts";

const all: readonly AuthProcedure[] = [
  ...signUpProcedures,
  ...signInProcedures,
  ...magicLinkProcedures,
  ...emailCodeProcedures,
  ...resetProcedures,
  ...guestProcedures,
  ...confirmProcedures,
  ...changeProcedures,
  ...deleteProcedures,
  ...sessionProcedures,
  refreshSession,
  ...keyProcedures,
  ...upkeepProcedures,
  ...operatorProcedures,
  ...functionProcedures,
  ...protocolProcedures,
  importUser,
];

/** By name. */
export const authProcedures: Procedures = new Map(
  all.map(({ name, run }): [string, Procedure] => [
    name,
    { run: (scope, input) => run(scope, input as never) },
  ]),
);
