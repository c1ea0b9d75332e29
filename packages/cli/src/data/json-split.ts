// Reads one JSON array of objects without holding it whole: cuts the text at the commas of the outermost
// array and leaves the items to JSON.parse, so that values are exactly JSON's own.
// States: before the array -> inside -> after it. Anything outside but white space is broken.
import { jsonRecord } from "./ndjson-split.ts";
import { recordCharsMax, type RecordSplitter, type SourceRecord } from "./source-record.ts";

type Place = "before" | "inside" | "after";

/** @returns a splitter for an array of objects. */
export function makeJsonSplitter(): RecordSplitter {
  const splitter = new JsonArraySplitter();
  return {
    columns: () => null,
    push: (text) => splitter.push(text),
    end: () => splitter.end(),
  };
}

class JsonArraySplitter {
  private place: Place = "before";
  private line = 1;
  /** Text of the item so far, without leading white space. */
  private item = "";
  private itemLine = 1;
  /** Brackets open inside the item. */
  private depth = 0;
  private inText = false;
  private isEscaped = false;
  /** Whether a comma came before: then an empty item is one too few. */
  private afterComma = false;
  private found: SourceRecord[] = [];

  push(piece: string): readonly SourceRecord[] {
    let from = 0;
    for (let index = 0; index < piece.length; index++) {
      const char = piece.charAt(index);
      if (this.place === "inside" && this.isCut(char)) {
        this.item += piece.slice(from, index);
        this.cut(char);
        from = index + 1;
      } else if (this.place === "before" && !isSpace(char) && char !== "\uFEFF") {
        this.place = char === "[" ? "inside" : "after";
        if (char !== "[") this.broken("The file does not begin with [.", char);
        from = index + 1;
      } else if (this.place === "inside" && this.item === "" && from === index && isSpace(char)) {
        from = index + 1;
      } else if (this.place === "inside" && this.item === "" && from === index) {
        this.itemLine = this.line;
      }
      if (char === "\n") this.line++;
    }
    if (this.place === "inside") this.item += piece.slice(from);
    // Of what follows the array, the beginning is enough to tell it by.
    if (this.place === "after")
      this.item = (this.item + piece.slice(from)).slice(0, 1_000).trimStart();
    if (this.item.length > recordCharsMax) {
      this.broken(
        "The record is too long, or a bracket is never closed.",
        this.item.slice(0, 1_000),
      );
      this.place = "after";
      this.item = "";
    }
    return this.taken();
  }

  end(): readonly SourceRecord[] {
    const left = this.item.trim();
    if (this.place === "before") this.broken("The file is empty: it has no array.", "");
    if (this.place === "inside") this.broken("The file ends before its array does.", left);
    if (this.place === "after" && left !== "")
      this.broken("There is text outside the array.", left);
    this.item = "";
    return this.taken();
  }

  /** Follows texts and brackets. @returns whether `char` ends an item of the outermost array. */
  private isCut(char: string): boolean {
    if (this.inText) {
      if (this.isEscaped) this.isEscaped = false;
      else if (char === "\\") this.isEscaped = true;
      else if (char === '"') this.inText = false;
      return false;
    }
    if (char === '"') this.inText = true;
    else if (char === "{" || char === "[") this.depth++;
    else if ((char === "}" || char === "]") && this.depth > 0) this.depth--;
    else return this.depth === 0 && (char === "," || char === "]");
    return false;
  }

  private cut(char: string): void {
    const text = this.item.trim();
    const isLast = char === "]";
    if (text !== "") this.found.push(jsonRecord(text, this.itemLine));
    else if (!isLast || this.afterComma) this.broken("There is nothing between two commas.", char);
    this.item = "";
    this.afterComma = !isLast;
    if (!isLast) return;
    this.place = "after";
    this.itemLine = this.line;
  }

  private broken(reason: string, text: string): void {
    const line = this.item === "" ? this.line : this.itemLine;
    this.found.push({ kind: "broken", line, reason, text });
  }

  private taken(): readonly SourceRecord[] {
    const found = this.found;
    this.found = [];
    return found;
  }
}

function isSpace(char: string): boolean {
  return char === " " || char === "\n" || char === "\r" || char === "\t";
}
