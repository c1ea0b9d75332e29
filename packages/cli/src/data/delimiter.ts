// What programs write between cells. A file that is cut otherwise than it is read is told with the option that
// reads it; nothing is guessed.

/** Each with the option that reads it. Spreadsheets write `;` where decimals have a comma. */
export const delimiterOptions: ReadonlyMap<string, string> = new Map([
  [";", '--delimiter=";"'],
  ["\t", "--format=tsv"],
  ["|", '--delimiter="|"'],
  [",", '--delimiter=","'],
]);
