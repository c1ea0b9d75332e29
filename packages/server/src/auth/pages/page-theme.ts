// The app's own sheet for identity's pages, keelson/auth.css.

/** What is wrong with it; null when it can be used. */
export function themeProblem(sheet: string): string | null {
  return sheet.includes("</") ? '"</" would end its element' : null;
}
