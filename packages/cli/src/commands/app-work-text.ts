// The work of an app as `keelson dev` shows it: events, queues, consumers, crons, hooks and workflows, a line each.
import type { ConsumerSpec, QueueSpec, WorkSpec } from "@keelson/sdk/spec";
import { tableText } from "../terminal/table-text.ts";

type Line = readonly [name: string, kind: string, what: string];

/** One line each: name, kind, and what it runs or when. @param work absent: the app has none. */
export function workSpecLines(work: WorkSpec | undefined): string[] {
  if (work === undefined) return [];
  const { events, queues, consumers, crons, hooks = {}, workflows = {} } = work;
  const lines = [
    linesOf(events, ({ key }) => ["event", key === undefined ? "in order" : `in order by ${key}`]),
    linesOf(consumers, (spec) => [followed(spec), spec.function]),
    linesOf(queues, (spec) => ["queue", runText(spec)]),
    linesOf(crons, ({ text, zone, function: fn }) => ["cron", `${text} ${zone} · ${fn}`]),
    linesOf(hooks, (spec, name) => [
      `POST /hooks/${name}`,
      `${spec.scheme.kind} · ${spec.function}`,
    ]),
    linesOf(workflows, ({ signals }) => ["workflow", signalText(Object.keys(signals))]),
  ].flat();
  return tableText(lines);
}

function linesOf<S>(
  specs: Readonly<Record<string, S>>,
  told: (spec: S, name: string) => readonly [kind: string, what: string],
): readonly Line[] {
  return Object.entries(specs).map(([name, spec]): Line => [name, ...told(spec, name)]);
}

function followed({ event, table, changes }: ConsumerSpec): string {
  if (event !== undefined) return `on ${event}`;
  return `on change of ${table ?? ""}${changes === undefined ? "" : ` (${changes.join(", ")})`}`;
}

/** What bounds a queue, as far as it is declared. */
function runText({ function: fn, concurrency, rate, ratePerKey, ordered }: QueueSpec): string {
  return [
    fn,
    ...(concurrency === undefined ? [] : [`${concurrency} at once`]),
    ...(rate === undefined ? [] : [rate]),
    ...(ratePerKey === undefined ? [] : [`${ratePerKey} a key`]),
    ...(ordered === undefined ? [] : ["in order"]),
  ].join(" · ");
}

function signalText(signals: readonly string[]): string {
  return signals.length === 0 ? "" : `signals ${signals.join(", ")}`;
}
