// HTML that can't be injected into: what is put into html`...` is text and escaped, unless it was made by html`...`
// itself, or is a whole sheet or script of ours. Attributes are always written in double quotes.

import { assert } from "../../base/assert.ts";

/** A piece of HTML that is safe to send. */
export class Html {
  readonly text: string;

  /** Use html`...`. */
  private constructor(text: string) {
    this.text = text;
  }

  /** A `style` or `script` element. @param content must not hold "</": it would end the element. */
  static element(name: "style" | "script", content: string): Html {
    assert(!content.includes("</"), "a sheet or script does not end its own element");
    return new Html(`<${name}>${content}</${name}>`);
  }

  /** Fills a template. */
  static of(strings: TemplateStringsArray, values: readonly HtmlValue[]): Html {
    let text = strings[0] ?? "";
    for (const [index, value] of values.entries())
      text += textOf(value) + (strings[index + 1] ?? "");
    return new Html(text);
  }
}

/** What a template takes. Null, undefined and false are nothing. */
export type HtmlValue = Html | string | number | null | undefined | false | readonly HtmlValue[];

/** @example html`<p title="${title}">${name}</p>` */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return Html.of(strings, values);
}

function textOf(value: HtmlValue): string {
  if (value instanceof Html) return value.text;
  if (value === null || value === undefined || value === false) return "";
  if (typeof value === "object") return value.map(textOf).join("");
  return escaped(String(value));
}

/** In text and in double-quoted attributes. */
function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}
