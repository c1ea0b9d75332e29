// What `keelson dev` says of the design: at the start how much there is, after each save what is new. The review
// itself is keelson check's; it runs after the app is served and never keeps it from being served.
import type { CheckDesk, Finding } from "@keelson/server/check";
import { findingLine, findingSummary } from "../terminal/finding-text.ts";
import type { Terminal } from "../terminal/terminal.ts";

/** The reviews of one run of `keelson dev`. */
export class DevReview {
  readonly #appDir: string;
  readonly #terminal: Terminal;
  #desk: CheckDesk | null = null;
  #known: ReadonlySet<string> | null = null;

  constructor(appDir: string, terminal: Terminal) {
    this.#appDir = appDir;
    this.#terminal = terminal;
  }

  /** Reviews the files as they are, and tells what was not there before. An app with a mistake is not reviewed. */
  async look(): Promise<void> {
    const findings = await this.#findings();
    if (findings === null) return;
    const before = this.#known;
    this.#known = new Set(findings.map(nameOf));
    if (before === null) return this.#tellFirst(findings);
    for (const finding of findings) {
      if (!before.has(nameOf(finding))) this.#tell(finding);
    }
    const gone = [...before].filter((name) => this.#known?.has(name) === false).length;
    if (gone > 0)
      this.#terminal.note(
        `${this.#terminal.tone("green", "check")}  ${gone} mended; ${findingSummary(findings)}`,
      );
  }

  async close(): Promise<void> {
    await this.#desk?.close();
    this.#desk = null;
  }

  async #findings(): Promise<readonly Finding[] | null> {
    try {
      if (this.#desk === null) {
        const { openCheckDesk } = await import("@keelson/server/check");
        this.#desk = openCheckDesk({ appDir: this.#appDir, dataDir: null, against: null });
      }
      const { report } = await this.#desk.check();
      return report.findings;
    } catch {
      // The mistakes of an app are told by the reload; a review that fails is no reason to stop serving.
      return null;
    }
  }

  #tellFirst(findings: readonly Finding[]): void {
    const { tone } = this.#terminal;
    const isClean = findings.length === 0;
    const hint = isClean ? "" : " See: keelson check";
    this.#terminal.note(
      `${tone(isClean ? "green" : "yellow", "check")}  ${findingSummary(findings)}${hint}`,
    );
  }

  #tell(finding: Finding): void {
    const { tone } = this.#terminal;
    const colour = finding.severity === "hole" ? "red" : "yellow";
    this.#terminal.note(`${tone(colour, finding.severity)}  ${findingLine(finding)}`);
    this.#terminal.note(
      `  ${tone("green", "write:")} ${finding.fix.split("\n").join("\n         ")}`,
    );
  }
}

/** A finding stays the same when lines above it come and go. */
function nameOf({ code, at, says }: Finding): string {
  return `${code} ${at.file} ${says}`;
}
