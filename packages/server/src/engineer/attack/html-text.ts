// Text as HTML, so that nothing of an app's own words becomes markup.

/** Escapes a text for content and for attributes in double quotes. */
export function htmlText(value: string): string {
  return value
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
