// Transactions of the protocols: second factor, passkeys, other providers, being a provider, organisations.
import type { AuthProcedure } from "./auth-desk.ts";
import { linkForeign, signInForeign, unlinkForeign } from "./oidc-client/foreign-sign-in.ts";
import { withdrawConsent } from "./oidc-provider/consent-routes.ts";
import {
  endClientSession,
  issueCode,
  redeemCode,
  refreshClient,
} from "./oidc-provider/provider-code.ts";
import { keepProviderKey, turnProviderKeys } from "./oidc-provider/provider-keys.ts";
import { acceptInvitation, invite, withdrawInvitation } from "./org/invitation-procedures.ts";
import {
  changeMember,
  changeOrg,
  chooseOrg,
  createOrg,
  deleteOrg,
  putMember,
  removeMember,
} from "./org/org-procedures.ts";
import {
  addPasskey,
  removePasskey,
  renamePasskey,
  signInByPasskey,
} from "./passkey/passkey-procedures.ts";
import { finishSecondFactor } from "./totp/second-factor.ts";
import { beginTotp, confirmTotp, removeTotp, renewRecovery } from "./totp/totp-setup.ts";

/** All of them. */
export const protocolProcedures: readonly AuthProcedure[] = [
  beginTotp,
  confirmTotp,
  removeTotp,
  renewRecovery,
  finishSecondFactor,
  addPasskey,
  signInByPasskey,
  renamePasskey,
  removePasskey,
  signInForeign,
  linkForeign,
  unlinkForeign,
  keepProviderKey,
  turnProviderKeys,
  issueCode,
  redeemCode,
  refreshClient,
  endClientSession,
  withdrawConsent,
  createOrg,
  changeOrg,
  deleteOrg,
  changeMember,
  removeMember,
  putMember,
  chooseOrg,
  invite,
  withdrawInvitation,
  acceptInvitation,
];
