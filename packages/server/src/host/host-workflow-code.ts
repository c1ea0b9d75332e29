// Code that workflows go on with, in the thread that writes: isolates of earlier versions of the app, opened when a
// run of theirs has its next tick, and a few of them kept.
import type { FunctionRunner, WorkflowCode } from "../gate/function-runner.ts";
import type { Bundle } from "../isolate/app-isolate.ts";
import type { BuiltApp } from "./app-cache.ts";

/** Isolates of one version. */
interface Isolates extends FunctionRunner {
  dispose(): void;
  readonly size: number;
}

/** Earlier versions whose isolates are kept. */
const openMax = 4;

/**
 * Opens the code of a version's workflows.
 * @param own isolates of this version. @param open makes those of another.
 * @returns it, and the same isolates: when they are ended, those of earlier versions are too.
 */
export function openWorkflowCode(
  app: BuiltApp,
  own: Isolates,
  open: (app: BuiltApp) => Promise<Isolates>,
): { readonly workflowCode: WorkflowCode; readonly isolates: Isolates } {
  const opened = new Map<string, Promise<Isolates>>();
  let isDisposed = false;

  function drop(hash: string): void {
    const isolates = opened.get(hash);
    opened.delete(hash);
    isolates?.then(
      (found) => found.dispose(),
      () => undefined,
    );
  }

  function openBundle(bundle: Bundle): Promise<FunctionRunner> {
    const { hash } = bundle;
    const known = opened.get(hash);
    // The newest stand last: the first is the one that nobody asked for the longest.
    opened.delete(hash);
    const isolates = known ?? open({ manifest: app.manifest, bundle });
    opened.set(hash, isolates);
    isolates.catch(() => opened.delete(hash));
    for (const [other] of opened) if (opened.size > openMax) drop(other);
    if (isDisposed) drop(hash);
    return isolates;
  }

  return {
    workflowCode: { bundle: app.bundle, open: openBundle },
    isolates: {
      call: (input, system) => own.call(input, system),
      dispose() {
        isDisposed = true;
        own.dispose();
        for (const hash of opened.keys()) drop(hash);
      },
      get size() {
        return own.size;
      },
    },
  };
}
