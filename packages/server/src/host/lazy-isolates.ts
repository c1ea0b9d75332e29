// Isolates that are made at the first call: a thread that serves nobody rarely needs any.
import type { AppIsolates } from "./backend.ts";

/** @param open called once, at the first call. */
export function lazyIsolates(open: () => Promise<AppIsolates>): AppIsolates {
  let isolates: AppIsolates | null = null;
  let opening: Promise<AppIsolates> | null = null;
  let isDisposed = false;
  const opened = async (): Promise<AppIsolates> => {
    isolates = await open();
    if (isDisposed) isolates.dispose();
    return isolates;
  };
  return {
    call(input, system) {
      if (isolates !== null) return isolates.call(input, system);
      opening ??= opened();
      return opening.then((isolates) => isolates.call(input, system));
    },
    dispose() {
      isDisposed = true;
      isolates?.dispose();
    },
    get size() {
      return isolates?.size ?? 0;
    },
  };
}
