// Pieces of forms. Every input has a visible label, the right autocomplete, and nothing that needs a script.
import { html, type Html, type HtmlValue } from "./html.ts";

/** An input. */
export interface FieldParts {
  readonly name: string;
  readonly label: string;
  readonly kind?: "text" | "email" | "password" | "code";
  /** As HTML has it: `email`, `current-password`, `one-time-code`. */
  readonly autocomplete?: string;
  readonly value?: string | null;
  readonly hint?: HtmlValue;
  readonly isOptional?: boolean;
  readonly max?: number;
  /** Where the keyboard is first. */
  readonly isFirst?: boolean;
}

/** A label, its input, and its hint. */
export function field(parts: FieldParts): Html {
  const { name, label, kind = "text", autocomplete = "off", hint, isOptional = false, max } = parts;
  const id = `f-${name}`;
  const type = kind === "code" ? "text" : kind;
  return html`<div class="field">
    <label for="${id}"
      >${label}${isOptional ? html` <span class="quiet">(optional)</span>` : ""}</label
    >
    <input
      id="${id}"
      name="${name}"
      type="${type}"
      autocomplete="${autocomplete}"
      ${[
        kind === "code" ? html` class="code" inputmode="text" spellcheck="false"` : "",
        kind === "email" ? html` spellcheck="false"` : "",
        isOptional ? "" : html` required`,
        max === undefined ? "" : html` maxlength="${max}"`,
        parts.value === undefined || parts.value === null ? "" : html` value="${parts.value}"`,
        hint === undefined ? "" : html` aria-describedby="${id}-hint"`,
        parts.isFirst === true ? html` autofocus` : "",
      ]}
    />
    ${hint === undefined ? "" : html`<div class="hint" id="${id}-hint">${hint}</div>`}
  </div>`;
}

/** A form that posts to `action`. */
export function form(action: string, content: HtmlValue): Html {
  return html`<form method="post" action="${action}">${content}</form>`;
}

/** A form of one button, for what changes something. @param values travel with it, unseen. */
export function buttonForm(
  action: string,
  label: HtmlValue,
  options: {
    readonly values?: Readonly<Record<string, string>>;
    readonly kind?: "plain" | "danger";
    readonly isWhole?: boolean;
  } = {},
): Html {
  const { values = {}, kind, isWhole = false } = options;
  const classes = [kind ?? "", isWhole ? "whole" : ""].filter((name) => name !== "").join(" ");
  return form(
    action,
    html`${Object.entries(values).map(([name, value]) => hidden(name, value))}<button
        type="submit"
        ${classes === "" ? "" : html` class="${classes}"`}
      >
        ${label}
      </button>`,
  );
}

/** A value that travels with a form. */
export function hidden(name: string, value: string): Html {
  return html`<input type="hidden" name="${name}" value="${value}" />`;
}

/** The main button of a form. */
export function submit(label: string): Html {
  return html`<button type="submit" class="whole">${label}</button>`;
}

/** Signs in with a passkey and goes on to `next`. Unseen where the script that does it does not run. */
export function passkeyButton(label: string, next: string): Html {
  return html`<button
      type="button"
      class="plain whole"
      data-passkey="sign-in"
      data-next="${next}"
      hidden
    >
      ${label}
    </button>
    <p class="notice bad" role="alert" data-passkey-problem hidden></p>`;
}
