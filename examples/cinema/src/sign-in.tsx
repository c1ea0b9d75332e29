// Sign in by name: what a development server offers until the app turns identity on.
import { useState } from "preact/hooks";
import { signIn, signOut, type Session } from "./api.ts";

interface Props {
  readonly session: Session | null;
  readonly onChange: (session: Session | null) => void;
}

export function SignIn({ session, onChange }: Props) {
  const [name, setName] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  if (session !== null) {
    return (
      <span class="who">
        {session.name}
        <button
          type="button"
          class="quiet"
          onClick={() => {
            signOut();
            onChange(null);
          }}
        >
          Sign out
        </button>
      </span>
    );
  }
  return (
    <form
      class="sign-in"
      onSubmit={(event) => {
        event.preventDefault();
        signIn(name.trim(), "customer").then(onChange, (error: Error) => setProblem(error.message));
      }}
    >
      <label>
        <span class="hidden">Your name</span>
        <input
          name="name"
          required
          maxLength={100}
          placeholder="Your name"
          value={name}
          onInput={(event) => setName(event.currentTarget.value)}
        />
      </label>
      <button type="submit">Sign in</button>
      {problem !== null && <span role="alert">{problem}</span>}
    </form>
  );
}
