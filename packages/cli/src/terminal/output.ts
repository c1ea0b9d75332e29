// Standard output as it can fail: whoever read it is gone, or the disk that it goes to is full. A command whose result it takes ends
// then. A server goes on: its log is not worth its service, and goes on too when there is room again.
import { fstatSync, writeSync } from "node:fs";
import type { TextStream } from "./terminal.ts";

/** A stream whose failures are told. */
export interface Output extends TextStream {
  /**
   * From now on a failure ends nothing: what is written is lost as long as it lasts.
   * @param lost called with the first failure of a row.
   */
  outlive(lost: (error: Error) => void): void;
}

/** What of process.stdout is used. */
export interface OutputStream extends TextStream {
  readonly fd: number;
  on(event: "error", listener: (error: Error) => void): unknown;
}

/**
 * Watches over a stream.
 * @param failed called with a failure that nothing outlives: it ends the process.
 * @param writeFile writes some bytes into a file. @returns how many.
 */
export function makeOutput(
  stream: OutputStream,
  failed: (error: Error) => void,
  writeFile: (fd: number, bytes: Uint8Array) => number = writeSync,
): Output {
  let lost: ((error: Error) => void) | null = null;
  let isFailing = false;
  /** The end of a line is missing in the file. */
  let isCut = false;
  const fail = (error: Error): void => {
    if (lost === null) failed(error);
    else if (!isFailing) lost(error);
    isFailing = true;
  };
  stream.on("error", fail);
  // Node's own stream for files is over with its first failure.
  const write = isFile(stream) ? writeAll : (text: string) => stream.write(text);
  return {
    write,
    isTTY: stream.isTTY,
    columns: stream.columns,
    outlive: (tell) => {
      lost = tell;
    },
  };

  function writeAll(text: string): void {
    let rest = Buffer.from(isCut ? `\n${text}` : text);
    const whole = rest.length;
    try {
      while (rest.length > 0) rest = rest.subarray(writeFile(stream.fd, rest));
      isCut = false;
      isFailing = false;
    } catch (error) {
      isCut ||= rest.length < whole;
      fail(error as Error);
    }
  }
}

function isFile({ fd, isTTY }: OutputStream): boolean {
  if (isTTY === true) return false;
  try {
    const stat = fstatSync(fd);
    return stat.isFile() || stat.isCharacterDevice();
  } catch {
    // It was closed before this process began.
    return false;
  }
}
