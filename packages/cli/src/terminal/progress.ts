// A line that tells how far a long command is, on terminals only. It never decides anything.
import type { Terminal } from "./terminal.ts";

const barCells = 24;
const intervalMs = 80;

/** Progress of one piece of work. */
export interface Progress {
  /** @param part done so far, 0 to 1; null when the whole is unknown. @param text what is counted: `1,200 rows`. */
  show(part: number | null, text: string): void;
  /** Removes the line. */
  end(): void;
}

/** @param nowMs the time, so that the line is drawn at most every 80 ms. */
export function makeProgress(terminal: Terminal, label: string, nowMs: () => number): Progress {
  let shownMs = -Infinity;
  return {
    show: (part, text) => {
      if (!terminal.live || nowMs() - shownMs < intervalMs) return;
      shownMs = nowMs();
      terminal.status(
        part === null ? `${label}  ${text}` : `${label}  ${progressBar(part)}  ${text}`,
      );
    },
    end: () => terminal.status(null),
  };
}

/** `[######------]  50 %`. @param part 0 to 1; values beyond are cut. */
export function progressBar(part: number): string {
  const share = Math.min(1, Math.max(0, part));
  const full = Math.floor(share * barCells);
  const percent = String(Math.floor(share * 100)).padStart(3);
  return `[${"#".repeat(full)}${"-".repeat(barCells - full)}] ${percent} %`;
}
