// Pages that people see in place of the service's own: plain HTML with forms.

/** A page. @param body HTML, already safe. */
export function page(title: string, body: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title><style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 26rem; margin: 4rem auto; padding: 0 1rem; }
h1 { font-size: 1.3rem; } .note { color: #777; font-size: 0.9rem; } button { font: inherit; padding: 0.6rem 1rem; margin: 0.25rem 0; width: 100%; }
label { display: block; margin: 0.8rem 0; } input, select { font: inherit; width: 100%; padding: 0.4rem; box-sizing: border-box; }
table { width: 100%; } td:last-child { text-align: right; }</style>
<main>${body}<p class="note">Simulator: no money moves.</p></main></html>`;
}

/** Text as HTML. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);
}
