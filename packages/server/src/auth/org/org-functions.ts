// Organisations for an app's own functions: `ctx.auth.createOrg` and the others, by the transactions of the addresses
// under /auth/orgs. The caller acts, with the rights that they have there; a function that gives a reason (`asSystem`)
// acts itself: nobody's right is asked for, and every other rule and limit holds.
import type { Json } from "../../base/json.ts";
import { PlatformError } from "../../base/platform-error.ts";
import type { Run } from "../../gate/gate-app.ts";
import {
  causeOfRun,
  inputOf,
  isAbsent,
  placeOfRun,
  userIdOf,
  type AppInput,
  type AuthFunction,
} from "../app-call.ts";
import { invalidField, textField } from "../ask-body.ts";
import type { AuthDesk } from "../auth-desk.ts";
import { normalEmail } from "../email-address.ts";
import { memberIn, orgRoles } from "./org-access.ts";
import { orgNameOf, orgRoleOf, orgSlugOf } from "./org-fields.ts";
import { countInvitation, sendInvitation } from "./org-invite.ts";
import { membersOf } from "./org-members.ts";
import {
  changeMember,
  createOrg,
  putMember,
  removeMember,
  type OrgActor,
} from "./org-procedures.ts";

const reasonCharsMax = 200;
const idCharsMax = 60;

/** @throws NOT_FOUND when the app has no organisations; SIGN_IN_REQUIRED. */
function actorOf(desk: AuthDesk, run: Run, input: AppInput): OrgActor {
  const roles = orgRoles(desk.settings);
  const reason = isAbsent(input["asSystem"])
    ? null
    : textField(input, "asSystem", reasonCharsMax).trim();
  if (reason === "") throw invalidField("asSystem", "gives no reason");
  const user = run.caller.id;
  if (user === null && reason === null) throw new PlatformError("SIGN_IN_REQUIRED");
  return { ...placeOfRun(run), user: user ?? "", roles, reason };
}

function orgOf(input: AppInput): string {
  return textField(input, "org", idCharsMax);
}

/** By name. */
export const orgFunctions: Readonly<Record<string, AuthFunction>> = Object.freeze({
  "auth.createOrg": async (desk, run, given) => {
    const input = inputOf(given, ["name", "slug", "owner", "asSystem"]);
    const actor = actorOf(desk, run, input);
    const user = isAbsent(input["owner"]) ? actor.user : userIdOf(input["owner"], "owner");
    if (user === "") throw invalidField("owner", "is missing: nobody is signed in");
    if (user !== run.caller.id && actor.reason === null) throw new PlatformError("CALL_DENIED");
    const made = { ...actor, user, orgName: orgNameOf(input), slug: orgSlugOf(input) };
    return desk.run(createOrg, made, causeOfRun(desk, run));
  },
  "auth.addMember": async (desk, run, given) => {
    const input = inputOf(given, ["org", "user", "role", "asSystem"]);
    const actor = actorOf(desk, run, input);
    if (actor.reason === null) throw invalidField("asSystem", "is missing: people invite others");
    const role = orgRoleOf(input, actor.roles);
    const added = { ...actor, org: orgOf(input), member: userIdOf(input["user"]), role };
    return desk.run(putMember, added, causeOfRun(desk, run));
  },
  "auth.setMemberRole": async (desk, run, given) => {
    const input = inputOf(given, ["org", "user", "role", "asSystem"]);
    const actor = actorOf(desk, run, input);
    const role = orgRoleOf(input, actor.roles);
    const changed = { ...actor, org: orgOf(input), member: userIdOf(input["user"]), role };
    return desk.run(changeMember, changed, causeOfRun(desk, run));
  },
  "auth.removeMember": async (desk, run, given) => {
    const input = inputOf(given, ["org", "user", "asSystem"]);
    const actor = actorOf(desk, run, input);
    const removed = { ...actor, org: orgOf(input), member: userIdOf(input["user"]) };
    return desk.run(removeMember, removed, causeOfRun(desk, run));
  },
  "auth.inviteMember": async (desk, run, given) => {
    const input = inputOf(given, ["org", "email", "role", "asSystem"]);
    const actor = actorOf(desk, run, input);
    const org = orgOf(input);
    countInvitation(desk, actor, org);
    const email = normalEmail(input["email"]);
    const role = orgRoleOf(input, actor.roles);
    const asked = { actor, org, email, role, origin: null };
    return sendInvitation(desk, asked, causeOfRun(desk, run));
  },
  "auth.listMembers": async (desk, run, given) => {
    const input = inputOf(given, ["org", "after", "asSystem"]);
    const { user, reason } = actorOf(desk, run, input);
    const org = orgOf(input);
    const after = isAbsent(input["after"]) ? null : textField(input, "after", 2_000);
    return desk.store.read(async (tx): Promise<Json> => {
      if (reason === null) await memberIn(tx, org, user);
      else if ((await tx.get("org", org, null)) === null) throw new PlatformError("NOT_FOUND");
      return membersOf(tx, desk.limits, { org, after });
    });
  },
});
