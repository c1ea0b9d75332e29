// Physical lines of a text that arrives in pieces. Lines keep their line ends, so that nothing is lost.

/** A line with its number, from 1. */
export interface TextLine {
  readonly line: number;
  /** With its line end, except perhaps the last. */
  readonly text: string;
}

/** Cuts pieces of text into lines. */
export interface LineQueue {
  /** @returns the lines that are complete by now. */
  push(text: string): TextLine[];
  /** @returns the last line when the text does not end in a line end. */
  end(): TextLine[];
}

/** @returns a queue that has seen nothing. A leading byte order mark is dropped. */
export function makeLineQueue(): LineQueue {
  let rest = "";
  let line = 1;
  let isStart = true;
  return {
    push(piece) {
      let text = piece;
      if (isStart && text !== "") {
        isStart = false;
        if (text.startsWith("\uFEFF")) text = text.slice(1);
      }
      const lines: TextLine[] = [];
      let from = 0;
      let to = text.indexOf("\n");
      while (to !== -1) {
        lines.push({ line: line++, text: rest + text.slice(from, to + 1) });
        rest = "";
        from = to + 1;
        to = text.indexOf("\n", from);
      }
      rest += text.slice(from);
      return lines;
    },
    end() {
      const last = rest === "" ? [] : [{ line, text: rest }];
      rest = "";
      return last;
    },
  };
}
