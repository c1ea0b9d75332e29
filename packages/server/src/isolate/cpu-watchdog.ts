// The CPU limit of every isolate of this thread. A second isolate runs a loop in a thread of its own; it
// looks at shared memory a hundred times a second and ends the isolate whose slice has run too long. A
// slice costs three atomic operations (isolated-vm's own `timeout` costs two microseconds, three for each
// system call, and a global lock). Time in the host, answering a system call, is not counted.
//
// A slot holds 0 (idle), the number of the slice that runs, or minus that number: the watchdog has taken
// the slice. Both sides change it by compare-and-swap, so that a slice either ends or is killed, never both.
// The loop ends itself when nothing has run for a while, and with it the process's reason to stay alive.
//
// A thread must not end while the loop runs: isolated-vm's own thread then tells an event loop that is gone that
// it is done, which ends the process by SIGSEGV or SIGABRT. So whoever is through with a watchdog closes it, and
// lets the thread come to its end by itself, as the loop holds it until the last word is said.
import ivm from "isolated-vm";
import { assert } from "../base/assert.ts";
import { PlatformError } from "../base/platform-error.ts";
import { keepHandles } from "./kept-handles.ts";

const generationWord = 0;
const runningWord = 1;
const slotsWord = 8;
const slotWords = 4;
const slotsMax = 4_096;
const tickMs = 5;
const idleTicks = 40;
const sliceMax = 0x3fff_ffff;

const loopCode = `
const words = new Int32Array($0);
const { load, store, compareExchange, wait } = Atomics;
const watched = new Map();
const anyActive = () => {
  for (const { slot } of watched.values()) if (load(words, slot) !== 0) return true;
  return false;
};
const look = (entry) => {
  const slice = load(words, entry.slot);
  if (slice <= 0) { entry.seen = 0; return false; }
  if (slice !== entry.seen) { entry.seen = slice; entry.ticks = 0; return true; }
  if (load(words, entry.slot + 1) !== 0) return true;
  if (++entry.ticks < entry.ticksMax) return true;
  if (compareExchange(words, entry.slot, slice, -slice) === slice) {
    watched.delete(entry.slot);
    entry.isolate.dispose();
  }
  return true;
};
globalThis.watch = (slot, isolate, ticksMax) => {
  watched.set(slot, { slot, isolate, ticksMax, seen: 0, ticks: 0 });
};
globalThis.forget = (slot) => { watched.delete(slot); };
globalThis.loop = (generation) => {
  for (let idle = 0; ;) {
    wait(words, ${generationWord}, generation, ${tickMs});
    if (load(words, ${generationWord}) !== generation) return;
    let active = false;
    for (const entry of watched.values()) if (look(entry)) active = true;
    idle = active ? 0 : idle + 1;
    if (idle < ${idleTicks}) continue;
    store(words, ${runningWord}, 0);
    if (!anyActive() || compareExchange(words, ${runningWord}, 0, 1) !== 0) return;
    idle = 0;
  }
};`;

interface Loop {
  readonly watch: ivm.Reference;
  readonly forget: ivm.Reference;
  readonly loop: ivm.Reference;
}

/** One isolate's place with the watchdog. */
export interface CpuSlot {
  /** A slice begins. */
  begin(): void;
  /** The slice is over. @returns false when it took too long: the isolate is dead. */
  end(): boolean;
  /** Time until the next `inside` is the host's. */
  outside(): void;
  inside(): void;
  /** The isolate is gone. */
  release(): void;
}

/** Watches the isolates of one thread. */
export class CpuWatchdog {
  readonly #memory = new SharedArrayBuffer((slotsWord + slotsMax * slotWords) * 4);
  readonly #words = new Int32Array(this.#memory);
  /** Made for the first isolate: in a thread that runs no function it would be megabytes for nothing. */
  #made: Loop | null = null;
  readonly #free: number[] = [];
  #slots = 0;
  #generation = 0;
  #slice = 0;
  #isClosed = false;

  /** Watches an isolate. @param cpuMsMax CPU time of one slice. @throws SHUTTING_DOWN once it is closed. */
  watch(isolate: ivm.Isolate, cpuMsMax: number): CpuSlot {
    if (this.#isClosed) throw new PlatformError("SHUTTING_DOWN");
    const slot = this.#free.pop() ?? slotsWord + slotWords * this.#slots++;
    assert(slot < slotsWord + slotsMax * slotWords, "more isolates than the watchdog has slots");
    const loop = (this.#made ??= makeLoop(this.#memory));
    this.#send(() => {
      const ticksMax = Math.max(1, Math.ceil(cpuMsMax / tickMs));
      loop.watch.applyIgnored(undefined, [slot, isolate, ticksMax]);
    });
    return new WatchedSlot(this.#words, slot, {
      nextSlice: () => (this.#slice = this.#slice === sliceMax ? 1 : this.#slice + 1),
      wake: () => this.#launch(),
      release: () => {
        this.#send(() => loop.forget.applyIgnored(undefined, [slot]));
        this.#free.push(slot);
      },
    });
  }

  /** Ends the loop: nothing is watched any more, and the thread may come to its end. */
  close(): void {
    this.#isClosed = true;
    this.#stepAside();
  }

  /** Runs `task` in the watchdog's isolate: the loop steps aside for it and starts again. */
  #send(task: () => void): void {
    if (this.#isClosed) return;
    this.#stepAside();
    task();
    Atomics.store(this.#words, runningWord, 1);
    this.#launch();
  }

  #stepAside(): void {
    const words = this.#words;
    this.#generation = (this.#generation + 1) & sliceMax;
    Atomics.store(words, generationWord, this.#generation);
    Atomics.notify(words, generationWord);
  }

  #launch(): void {
    if (this.#isClosed) return;
    this.#made?.loop.applyIgnored(undefined, [this.#generation]);
  }
}

function makeLoop(memory: SharedArrayBuffer): Loop {
  const { keep } = keepHandles();
  const context = keep(keep(new ivm.Isolate({ memoryLimit: 8 })).createContextSync());
  context.evalClosureSync(loopCode, [keep(keep(new ivm.ExternalCopy(memory)).copyInto())]);
  const global = keep(context.global);
  const taken = (name: string): ivm.Reference => keep(global.getSync(name, { reference: true }));
  return { watch: taken("watch"), forget: taken("forget"), loop: taken("loop") };
}

interface SlotParts {
  readonly nextSlice: () => number;
  readonly wake: () => void;
  readonly release: () => void;
}

class WatchedSlot implements CpuSlot {
  readonly #words: Int32Array;
  readonly #slot: number;
  readonly #parts: SlotParts;
  #slice = 0;

  constructor(words: Int32Array, slot: number, parts: SlotParts) {
    this.#words = words;
    this.#slot = slot;
    this.#parts = parts;
  }

  begin(): void {
    const words = this.#words;
    this.#slice = this.#parts.nextSlice();
    words[this.#slot + 1] = 0;
    Atomics.store(words, this.#slot, this.#slice);
    if (Atomics.load(words, runningWord) !== 0) return;
    if (Atomics.compareExchange(words, runningWord, 0, 1) === 0) this.#parts.wake();
  }

  end(): boolean {
    return Atomics.compareExchange(this.#words, this.#slot, this.#slice, 0) === this.#slice;
  }

  outside(): void {
    this.#words[this.#slot + 1] = 1;
  }

  inside(): void {
    this.#words[this.#slot + 1] = 0;
  }

  release(): void {
    Atomics.store(this.#words, this.#slot, 0);
    this.#parts.release();
  }
}
