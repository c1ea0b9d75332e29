// Who is here: nobody yet, a guest, or somebody with an account. Signing in and up are pages that the backend brings.
import { api, type Me } from "./api.ts";

interface Props {
  /** Undefined: it is not known yet. */
  readonly me: Me | null | undefined;
}

export function SignIn({ me }: Props) {
  if (me === undefined) return null;
  if (me === null) {
    return (
      <a class="button" href="/auth/sign-in?next=/">
        Sign in
      </a>
    );
  }
  if (me.guest === true) {
    return (
      <span class="who">
        Guest
        <a class="button" href="/auth/sign-up?next=/">
          Sign up to keep your seats
        </a>
      </span>
    );
  }
  return (
    <span class="who">
      <a href="/auth/account">{me.name}</a>
      <button type="button" class="quiet" onClick={() => void api.auth.signOut()}>
        Sign out
      </button>
    </span>
  );
}
