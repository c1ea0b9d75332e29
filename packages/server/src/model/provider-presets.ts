// Providers that are known by name, as their public documentation describes them. What stands here is what an app would
// write itself; the client's id and secret are its own.
import type { OAuthProvider, OpenIdProvider } from "./auth-model.ts";

type Preset =
  | Omit<OpenIdProvider, "clientId" | "secret">
  | Omit<OAuthProvider, "clientId" | "secret">;

/** By name. `signer` of a preset says only that there must be one. */
export const providerPresets: ReadonlyMap<string, Preset> = new Map<string, Preset>([
  [
    "apple",
    {
      ...openId("Apple", "https://appleid.apple.com", ["name", "email"]),
      // Apple answers a request for a name or an address by a form only.
      isFormPost: true,
      signer: { team: "", key: "" },
    },
  ],
  [
    "discord",
    {
      kind: "oauth",
      label: "Discord",
      authorizationEndpoint: "https://discord.com/oauth2/authorize",
      tokenEndpoint: "https://discord.com/api/oauth2/token",
      userinfoEndpoint: "https://discord.com/api/users/@me",
      emailsEndpoint: null,
      secretIn: "body",
      scopes: ["identify", "email"],
      claims: { id: "id", email: "email", emailVerified: "verified", name: "global_name" },
    },
  ],
  [
    "github",
    {
      kind: "oauth",
      label: "GitHub",
      authorizationEndpoint: "https://github.com/login/oauth/authorize",
      tokenEndpoint: "https://github.com/login/oauth/access_token",
      userinfoEndpoint: "https://api.github.com/user",
      // The address that a profile shows is whatever its owner wrote there.
      emailsEndpoint: "https://api.github.com/user/emails",
      secretIn: "body",
      scopes: ["read:user", "user:email"],
      claims: { id: "id", email: null, emailVerified: null, name: "name" },
    },
  ],
  ["gitlab", openId("GitLab", "https://gitlab.com", ["openid", "email", "profile"])],
  ["google", openId("Google", "https://accounts.google.com", ["openid", "email", "profile"])],
  [
    "microsoft",
    openId("Microsoft", "https://login.microsoftonline.com/common/v2.0", [
      "openid",
      "email",
      "profile",
    ]),
  ],
]);

function openId(label: string, issuer: string, scopes: readonly string[]) {
  return { kind: "openid", label, issuer, scopes, isFormPost: false, signer: null } as const;
}
