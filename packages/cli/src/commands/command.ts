// What every command is: its description, and what runs.
import type { CommandSpec } from "../flags/command-spec.ts";
import type { Exit } from "../flags/failure.ts";
import type { Flags } from "../flags/flag-parse.ts";
import type { Terminal } from "../terminal/terminal.ts";

/** What a command is given of the process. */
export interface Io {
  readonly terminal: Terminal;
  /** Absolute. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Version of this package. */
  readonly version: string;
  readonly nowMs: () => number;
  /** From now on standard output that fails ends nothing: what is written is lost, which standard error tells. */
  readonly outliveOutput: () => void;
  /**
   * From now on SIGINT and SIGTERM do not end the process but abort this signal; a second one ends it.
   * Commands that never ask end at once.
   */
  readonly untilStopped: () => AbortSignal;
}

/** A command. */
export interface Command {
  readonly spec: CommandSpec;
  /** @returns the exit status. @throws Failure, PlatformError: `main` prints them. */
  run(flags: Flags, io: Io): Promise<Exit>;
}
