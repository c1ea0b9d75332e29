// What the process itself uses: memory, CPU, and how late the event loop runs.
import { monitorEventLoopDelay } from "node:perf_hooks";
import { counter, gauge, type Gauge } from "../doors/http-metrics.ts";

const lagResolutionMs = 20;

/** Reads of the process. */
export interface HostGauges {
  read(): readonly Gauge[];
  /** What this thread uses of it, by how it is put together with others': added, or the largest. */
  readThread(): { readonly sum: readonly Gauge[]; readonly max: readonly Gauge[] };
  /** What all threads together use. */
  readProcess(): readonly Gauge[];
  /** Stops measuring. */
  close(): void;
}

/** Starts measuring. The lag is that of the time since the last read. */
export function openHostGauges(): HostGauges {
  const lag = monitorEventLoopDelay({ resolution: lagResolutionMs });
  lag.enable();
  const readThread = () => {
    // The monitor's samples hold its own interval too.
    // There is no percentile of nothing (NaN).
    const seconds = (ns: number) => Math.max(0, (ns || 0) / 1e9 - lagResolutionMs / 1e3);
    const heapBytes = process.memoryUsage().heapUsed;
    const late = [
      gauge(
        "keelson_event_loop_lag_p99_seconds",
        "How late the event loop ran.",
        seconds(lag.percentile(99)),
      ),
      gauge("keelson_event_loop_lag_max_seconds", "The latest it ran.", seconds(lag.max)),
    ];
    lag.reset();
    return { sum: [gauge("process_heap_bytes", "JavaScript heap in use.", heapBytes)], max: late };
  };
  const readProcess = (): readonly Gauge[] => {
    const { user, system } = process.cpuUsage();
    return [
      gauge("process_resident_memory_bytes", "Memory of the process.", process.memoryUsage.rss()),
      counter("process_cpu_seconds_total", "CPU time used.", (user + system) / 1e6),
      gauge(
        "process_start_time_seconds",
        "When it began, since 1970.",
        performance.timeOrigin / 1e3,
      ),
    ];
  };
  return {
    readThread,
    readProcess,
    read() {
      const { sum, max } = readThread();
      return [...readProcess(), ...sum, ...max];
    },
    close: () => lag.disable(),
  };
}
