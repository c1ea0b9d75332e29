// Evaluates the app's bundle in a fresh context: once, without any system call, within the limits of a call.
import type ivm from "isolated-vm";
import type { Clock } from "../base/clock.ts";
import type { AppSpec } from "@keelson/sdk/spec";
import { bundleScript } from "./bundle-map.ts";
import type { CpuSlot } from "./cpu-watchdog.ts";
import type { IsolateImage } from "./isolate-image.ts";
import type { KeptHandles } from "./kept-handles.ts";
import { isTimeout, stackOf } from "./isolate-timeout.ts";
import type { AppInvalid } from "../model/app-mistake.ts";
import { loadLimitMistake, loadMistake, type LoadFailure } from "./load-mistake.ts";

/** What the guest says of the app. */
export interface LoadedBundle {
  readonly spec: AppSpec;
  /** Functions, in the order of the guest's own list. */
  readonly names: readonly string[];
}

/** Where a bundle is loaded. */
export interface LoadPlace {
  readonly isolate: ivm.Isolate;
  readonly context: ivm.Context;
  readonly slot: CpuSlot;
  /** The guest's function that reads what the bundle left. */
  readonly take: ivm.Reference;
  readonly kept: KeptHandles;
  readonly cpuMsMax: number;
  readonly clock: Clock;
}

/** Loading took too long, and this thread had not half of the CPU for it. */
export class LoadStarved extends Error {
  /** What it would mean on a machine that had nothing else to do. */
  readonly mistake: AppInvalid;

  constructor(mistake: AppInvalid) {
    super(mistake.message);
    this.mistake = mistake;
  }
}

/** @throws LoadStarved; AppInvalid when a module throws or breaks a limit, or `app.ts` exports no app. */
export function loadBundle(image: IsolateImage, place: LoadPlace): LoadedBundle {
  const { isolate, context, slot, take, kept, cpuMsMax, clock } = place;
  let answer: string;
  const beganUs = clock.threadCpuUs?.() ?? 0;
  slot.begin();
  try {
    const script = kept.keep(compiled(image, isolate));
    // The watchdog ends what this does not; but it can't tell where the time went.
    script.runSync(context, { timeout: cpuMsMax });
    answer = take.applySync(undefined, []) as string;
  } catch (error) {
    const isInTime = slot.end() && !isTimeout(error);
    if (!isInTime) {
      const mistake = loadLimitMistake("time", image.map, stackOf(error));
      const usedUs = (clock.threadCpuUs?.() ?? Infinity) - beganUs;
      throw usedUs < cpuMsMax * 500 ? new LoadStarved(mistake) : mistake;
    }
    if (isolate.isDisposed) throw loadLimitMistake("memory", image.map);
    throw loadMistake(error as LoadFailure, image.map);
  }
  slot.end();
  const read = JSON.parse(answer) as LoadedBundle & { readonly threw?: LoadFailure };
  if (read.threw !== undefined) throw loadMistake(read.threw, image.map);
  return read;
}

/** The bundle's script; V8's compiled form of it is kept for the next isolate. */
function compiled(image: IsolateImage, isolate: ivm.Isolate): ivm.Script {
  const { code } = image.bundle;
  const options = { filename: bundleScript };
  if (image.compiled !== null) {
    return isolate.compileScriptSync(code, { ...options, cachedData: image.compiled });
  }
  const script = isolate.compileScriptSync(code, { ...options, produceCachedData: true });
  image.compiled = (script as ivm.CachedDataResult & ivm.Script).cachedData ?? null;
  return script;
}
