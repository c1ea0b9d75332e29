// Compression of larger answers, off this thread (zlib works in node's thread pool). Low levels: an answer
// is sent once, and the last few per cent of size cost most of the time.
import { brotliCompress, constants, gzip, type InputType } from "node:zlib";

/** Codings that answers may have. */
export type Coding = "br" | "gzip";

const codings: readonly Coding[] = ["br", "gzip"];

const brotliQuality = 3;
const gzipLevel = 3;

/**
 * Picks a coding from an Accept-Encoding header (RFC 9110 section 12.5.3).
 * @param offered what the answer can be had in, best first. Default: all.
 * @returns null when the answer is to go out as it is.
 */
export function chooseCoding(
  acceptEncoding: string | null,
  offered: readonly Coding[] = codings,
): Coding | null {
  if (acceptEncoding === null) return null;
  const accepted = new Set<string>();
  for (const part of acceptEncoding.toLowerCase().split(",")) {
    const [name = "", ...parameters] = part.split(";").map((piece) => piece.trim());
    if (!parameters.some((parameter) => /^q=0(?:\.0*)?$/v.test(parameter))) accepted.add(name);
  }
  return offered.find((coding) => accepted.has(coding)) ?? null;
}

/** Compresses a whole answer. @param done gets the bytes; or null when zlib failed: then send it as it is. */
export function compress(
  body: InputType,
  coding: Coding,
  done: (bytes: Uint8Array | null) => void,
): void {
  const finish = (error: Error | null, bytes: Uint8Array) => done(error === null ? bytes : null);
  if (coding === "gzip") {
    gzip(body, { level: gzipLevel }, finish);
    return;
  }
  brotliCompress(body, { params: { [constants.BROTLI_PARAM_QUALITY]: brotliQuality } }, finish);
}
