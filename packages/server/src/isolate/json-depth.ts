// How deep a JSON text is nested, found without parsing it: what comes next may be recursive.
const quote = 34;
const backslash = 92;
const openBracket = 91;
const closeBracket = 93;
const openBrace = 123;
const closeBrace = 125;

/** Whether valid JSON text is nested deeper than `levelsMax`. */
export function isDeeper(json: string, levelsMax: number): boolean {
  // Every level takes an opening and a closing character.
  if (json.length <= 2 * levelsMax) return false;
  let level = 0;
  for (let index = 0; index < json.length; index++) {
    switch (json.charCodeAt(index)) {
      case quote:
        index = endOfText(json, index);
        break;
      case openBracket:
      case openBrace:
        if (++level > levelsMax) return true;
        break;
      case closeBracket:
      case closeBrace:
        level--;
        break;
      default:
    }
  }
  return false;
}

/** Where the text that begins at `start` ends. */
function endOfText(json: string, start: number): number {
  for (let at = json.indexOf('"', start + 1); at !== -1; at = json.indexOf('"', at + 1)) {
    let slashes = 0;
    while (json.charCodeAt(at - 1 - slashes) === backslash) slashes++;
    if (slashes % 2 === 0) return at;
  }
  return json.length;
}
