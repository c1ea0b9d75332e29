// The words of every mail until an app brings its own (keelson/mail/<name>.txt and .html). The HTML version of a
// default is made of its text: a paragraph each, the link as a link. No picture, no remote font, nothing that tracks.
import type { MailTemplate } from "../mail-port.ts";

/** The first line is the subject. `{{name}}` stands for a value. */
export const mailDefaults: Readonly<Record<MailTemplate, string>> = Object.freeze({
  "verify-email": `Subject: Confirm your e-mail address for {{app}}

Somebody, we think you, gave this address to {{app}}. Confirm that it is yours:

{{link}}

It works once, for {{minutes}} minutes. If it was not you, do nothing: nobody can use your address without this mail.
`,
  "reset-password": `Subject: Set a new password for {{app}}

Choose a new password for your account at {{app}}:

{{link}}

This works once, for {{minutes}} minutes. When the new password is set, you are signed out everywhere else. If you did not ask for this, do nothing: your password stays as it is.
`,
  "magic-link": `Subject: Sign in to {{app}}

Follow this to sign in to {{app}}:

{{link}}

It works once, for {{minutes}} minutes. If you did not ask for it, do nothing, and give it to nobody.
`,
  "email-code": `Subject: {{code}} is your code for {{app}}

Your code to sign in to {{app}}:

{{code}}

It works once, for {{minutes}} minutes. Nobody from {{app}} will ever ask you for it.
`,
  "already-registered": `Subject: You already have an account at {{app}}

Somebody, we think you, tried to sign up at {{app}} with this address. It has an account already. Sign in, or set a new password if you have forgotten it:

{{link}}

If it was not you, do nothing.
`,
  "no-account": `Subject: There is no account with this address at {{app}}

Somebody, we think you, asked {{app}} for a way to sign in with this address. It has no account here. Perhaps you signed up with another one; or sign up now:

{{url}}

If it was not you, do nothing.
`,
  "change-email": `Subject: Confirm your new e-mail address for {{app}}

Confirm that this address is to be the one of your account at {{app}}:

{{link}}

It works once, for {{minutes}} minutes. If you did not ask for this, do nothing.
`,
  "new-sign-in": `Subject: New sign-in to {{app}}

Somebody signed in to your account at {{app}} at {{when}}, from {{address}} ({{device}}).

If this was not you, set a new password now, which signs everybody else out:

{{url}}/auth/reset
`,
  "password-changed": `Subject: Your password for {{app}} was changed

The password of your account at {{app}} was changed at {{when}}.

If this was not you, set a new one now, which signs everybody else out:

{{url}}/auth/reset
`,
  "account-deleted": `Subject: Your account at {{app}} is deleted

Your account at {{app}} was deleted at {{when}}, with your sign-ins everywhere. This address gets no more mail about it.

If this was not you, tell the people of {{app}} now:

{{url}}
`,
  "email-changed": `Subject: Your e-mail address at {{app}} was changed

The e-mail address of your account at {{app}} was changed to {{address}} at {{when}}. This address gets no more mail about it.

If this was not you, tell the people of {{app}} now:

{{url}}
`,
  "second-factor-changed": `Subject: The security of your account at {{app}} was changed

The second step or a passkey of your account at {{app}} was changed at {{when}}.

If this was not you, look through your account now:

{{link}}
`,
  invitation: `Subject: You are invited to {{org}} at {{app}}

{{inviter}} invites you to {{org}} at {{app}}, as {{role}}. Accept or decline:

{{link}}

The invitation is for this address only and ends in {{days}} days.
`,
});
