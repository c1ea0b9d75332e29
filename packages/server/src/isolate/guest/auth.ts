// `ctx.auth` of one call: what actions and http functions may ask of identity. Each is a system call; the host reads
// what comes with it as it would a stranger's.
import type { AuthContext } from "@keelson/sdk";
import { ask } from "./ask.ts";
import { toJson } from "./primordials.ts";
import type { Call } from "./running.ts";

type AuthCalls = { readonly [N in keyof AuthContext]: (input?: unknown) => Promise<unknown> };

/** Makes it. */
export function authCalls(call: Call): AuthCalls {
  return {
    createUser: (input) => ask(call, "auth.createUser", json(input)),
    verifyPassword: (input) => ask(call, "auth.verifyPassword", json(input)),
    setPassword: (input) => ask(call, "auth.setPassword", json(input)),
    setEmail: (input) => ask(call, "auth.setEmail", json(input)),
    deleteUser: (input) => ask(call, "auth.deleteUser", json(input)),
    openSession: (input) => ask(call, "auth.openSession", json(input)),
    endSession: (input) => ask(call, "auth.endSession", json(input)),
    issueToken: (input) => ask(call, "auth.issueToken", json(input)),
    createOrg: (input) => ask(call, "auth.createOrg", json(input)),
    addMember: (input) => ask(call, "auth.addMember", json(input)),
    setMemberRole: (input) => ask(call, "auth.setMemberRole", json(input)),
    removeMember: (input) => ask(call, "auth.removeMember", json(input)),
    inviteMember: (input) => ask(call, "auth.inviteMember", json(input)),
    listMembers: (input) => ask(call, "auth.listMembers", json(input)),
  };
}

function json(input: unknown): string {
  return toJson(input ?? {}) ?? "{}";
}
