// Isolates of the app, kept warm. A call goes to one that is not in the middle of a slice; one that died of a
// call is replaced at its end, so that the next caller need not wait for a new one. Queries and mutations never
// share an isolate with actions: an action that breaks a limit takes other actions with it, and nothing else.
//
// A reload puts a new image in the place of the old one: calls that run go on in their isolates, which are
// disposed when the last of them is over.
import type { AppSpec } from "@keelson/sdk/spec";
import type { Later } from "../base/later.ts";
import { isLater } from "../base/later.ts";
import type { CallInput, CallOutcome, SystemCall } from "./app-isolate.ts";
import { openIsolate } from "./isolate-open.ts";
import type { IsolatedApp, IsolatePorts } from "./isolated-app.ts";
import type { IsolateImage } from "./isolate-image.ts";

/** How a pool begins. */
export interface PoolOptions {
  /** An isolate of the same image that is there already. Default: one is made. */
  readonly first?: IsolatedApp;
}

/** Calls between two looks at an isolate's heap. */
const callsPerLook = 4_096;
/** An isolate that keeps more than this share of its memory between calls is replaced. */
const heapShareMax = 0.7;

interface Seat {
  readonly app: IsolatedApp;
  calls: number;
}

interface Group {
  readonly seats: Seat[];
}

/** Runs functions on warm isolates. Calls may nest: a system call of one call may start another. */
export class IsolatePool {
  readonly #ports: IsolatePorts;
  #image: IsolateImage;
  #inside: Group = { seats: [] };
  #world: Group = { seats: [] };
  #retired: IsolatedApp[] = [];
  #spec: AppSpec;

  /** @throws AppInvalid when the app cannot be loaded. */
  constructor(image: IsolateImage, ports: IsolatePorts, { first }: PoolOptions = {}) {
    this.#image = image;
    this.#ports = ports;
    const app = first ?? openIsolate(image, ports);
    this.#inside.seats.push({ app, calls: 0 });
    this.#spec = app.spec;
  }

  /** What the app declared. */
  get spec(): AppSpec {
    return this.#spec;
  }

  /** Isolates that are alive, those that finish calls of an earlier image included. */
  get size(): number {
    const seats = [...this.#inside.seats, ...this.#world.seats];
    return seats.filter(({ app }) => app.alive).length + this.#retired.length;
  }

  /** @throws what AppIsolate.call throws. */
  call(input: CallInput, system: SystemCall): Later<CallOutcome> {
    const isInside = input.kind !== "action" && input.kind !== "http";
    const group = isInside ? this.#inside : this.#world;
    const seat = this.#seat(group);
    if (++seat.calls % callsPerLook === 0) this.#look(group, seat);
    const outcome = this.#callIn(group, seat, input, system);
    if (this.#retired.length === 0) return outcome;
    if (!isLater(outcome)) this.#sweep();
    else void outcome.then(this.#sweepSoon, this.#sweepSoon);
    return outcome;
  }

  #callIn(group: Group, seat: Seat, input: CallInput, system: SystemCall): Later<CallOutcome> {
    try {
      const outcome = seat.app.call(input, system);
      if (isLater(outcome)) {
        const look = (): void => this.#replaceDead(group, seat);
        void outcome.then(look, look);
      }
      return outcome;
    } finally {
      this.#replaceDead(group, seat);
    }
  }

  #replaceDead(group: Group, seat: Seat): void {
    if (seat.app.alive) return;
    const at = group.seats.indexOf(seat);
    if (at === -1 || (group !== this.#inside && group !== this.#world)) return;
    try {
      group.seats[at] = { app: openIsolate(this.#image, this.#ports), calls: 0 };
    } catch {
      // The next call tries again, and is told why it can't be had.
    }
  }

  /** Puts another image in place. Running calls end in the isolates they began in. */
  swap(image: IsolateImage, { first }: PoolOptions = {}): void {
    const app = first ?? openIsolate(image, this.#ports);
    for (const { app: old } of [...this.#inside.seats, ...this.#world.seats]) this.#retire(old);
    this.#image = image;
    this.#spec = app.spec;
    this.#inside = { seats: [{ app, calls: 0 }] };
    this.#world = { seats: [] };
    this.#sweep();
  }

  /** Ends every call and isolate. */
  dispose(): void {
    for (const { app } of [...this.#inside.seats, ...this.#world.seats]) app.dispose();
    for (const app of this.#retired) app.dispose();
    this.#inside = { seats: [] };
    this.#world = { seats: [] };
    this.#retired = [];
  }

  /** A seat where a call can begin now; when all are in a slice and there are enough, the first one's queue. */
  #seat(group: Group): Seat {
    const { seats } = group;
    for (let index = seats.length - 1; index >= 0; index--) {
      if (!(seats[index] as Seat).app.alive) seats.splice(index, 1);
    }
    for (const seat of seats) if (!seat.app.isEntered) return seat;
    const first = seats[0];
    if (first !== undefined && seats.length >= this.#ports.limits.isolatesMax) return first;
    const seat = { app: openIsolate(this.#image, this.#ports), calls: 0 };
    seats.push(seat);
    return seat;
  }

  /** Modules may keep what they like between calls, but not until a call dies of it. */
  #look(group: Group, seat: Seat): void {
    const { app } = seat;
    if (app.isEntered || app.usedBytes() < this.#ports.limits.isolateBytesMax * heapShareMax)
      return;
    group.seats.splice(group.seats.indexOf(seat), 1);
    this.#retire(app);
  }

  #retire(app: IsolatedApp): void {
    if (app.alive) this.#retired.push(app);
  }

  readonly #sweepSoon = (): void => {
    this.#sweep();
  };

  #sweep(): void {
    this.#retired = this.#retired.filter((app) => {
      if (app.alive && (app.isEntered || app.callsRunning > 0)) return true;
      app.dispose();
      return false;
    });
  }
}
