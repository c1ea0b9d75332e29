// What a benchmark prints: a JSON line per result, or a table with ratios to the others of the same run.

export interface Result {
  readonly workload: string;
  readonly subject: string;
  /** Null for what is no rate: a time, an amount of memory. */
  readonly opsPerSecond: number | null;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  /** Of what is no rate; null otherwise. */
  readonly amount: { readonly value: number; readonly unit: "MB" } | null;
  /** The server's CPU time per answer; null where the system does not tell. 1,000,000 of it is the rate per core. */
  readonly cpuUs: number | null;
  /** Busiest generator process, 0 to 1; null without one. */
  readonly generatorBusy: number | null;
  readonly durability: string;
  readonly clients: number;
  readonly version: string;
  readonly runs: number;
  /** Where a server was kept to some cores: how many those are, how many of them it and the generator used. */
  readonly cores?: {
    readonly given: number;
    readonly used: number;
    readonly generatorUsed: number;
    /** Whether the generator ran on the same ones. */
    readonly isShared: boolean;
    /** Of its rate to that of the first setting. */
    readonly ratio: number;
  };
  /** What was checked afterwards, for people. */
  readonly note?: string;
}

/** Near this share of a core it is the generator that is measured. */
const busyMax = 0.9;

/** The middle value. @param values at least one. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}

/** A table of results, grouped by workload; ratios are `subject`'s to each other's: of rates, and of rates per core. */
export function tableOf(results: readonly Result[], subject: string): string {
  const lines: string[] = [];
  for (const workload of new Set(results.map((result) => result.workload))) {
    const group = results.filter((result) => result.workload === workload);
    const own = group.find((result) => result.subject === subject) ?? null;
    const clients = group[0]?.clients ?? 0;
    lines.push("", clients === 0 ? workload : `${workload}, ${clients} clients`);
    for (const result of group) {
      lines.push(`  ${result.subject.padEnd(24)}${figures(result)}${ratios(own, result)}`);
      if (result.cores !== undefined) lines.push(`  ${"".padEnd(24)}${coresOf(result.cores)}`);
      lines.push(
        `  ${"".padEnd(24)}${result.durability}; ${result.version}${result.note === undefined ? "" : `; ${result.note}`}`,
      );
      if ((result.generatorBusy ?? 0) > busyMax) {
        lines.push(
          `  ${"".padEnd(24)}the generator was ${percent(result.generatorBusy)} busy: more than this was not asked for`,
        );
      }
    }
  }
  return lines.join("\n");
}

function figures({ opsPerSecond, p50Ms, p99Ms, amount, cpuUs }: Result): string {
  if (amount !== null) return `${amount.value.toFixed(1)} ${amount.unit}`;
  const parts = [
    opsPerSecond === null ? "" : `${rate(opsPerSecond).padStart(8)}/s`,
    `p50 ${ms(p50Ms)}`,
    `p99 ${ms(p99Ms)}`,
    cpuUs === null ? "" : `cpu ${cpuUs.toFixed(0)} us = ${rate(1_000_000 / cpuUs)}/s a core`,
  ];
  return parts.filter((part) => part !== "").join("  ");
}

function ratios(own: Result | null, other: Result): string {
  if (own === null || own === other || own.opsPerSecond === null || other.opsPerSecond === null)
    return "";
  const perCore =
    own.cpuUs === null || other.cpuUs === null
      ? ""
      : `, ${(other.cpuUs / own.cpuUs).toFixed(2)}x a core`;
  return `  ${own.subject} is ${(own.opsPerSecond / other.opsPerSecond).toFixed(2)}x${perCore}`;
}

function coresOf(cores: NonNullable<Result["cores"]>): string {
  const { used, generatorUsed, isShared, ratio } = cores;
  const where = isShared ? "on the same ones" : "on others";
  return `${ratio.toFixed(2)}x the first; used ${used.toFixed(2)} cores, the generator ${generatorUsed.toFixed(2)} ${where}`;
}

function rate(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en") : value.toFixed(1);
}

function ms(value: number | null): string {
  if (value === null) return "-";
  if (value < 1) return `${(value * 1_000).toFixed(1)} us`;
  return `${value < 10 ? value.toFixed(2) : value.toFixed(0)} ms`;
}

function percent(share: number | null): string {
  return `${Math.round((share ?? 0) * 100)} %`;
}
