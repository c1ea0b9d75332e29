// isolated-vm's handles must not be garbage when a thread ends: V8 then collects them after isolated-vm's own
// state of the thread is gone, and the whole process is aborted (its ClassHandle::WeakCallback asserts an
// environment). A thread that ends by itself is safe once they are collected; one that is terminated is not.
// So the handles of every isolate are held here as long as it lives, and for a while after.
const deadMax = 256;

const living = new Set<object>();
const dead: object[] = [];

/** The handles of one isolate. */
export interface KeptHandles {
  /** Holds one more. @returns it. */
  keep<T extends object>(handle: T): T;
  /** The isolate is gone. */
  release(): void;
}

/** Begins to hold an isolate's handles. */
export function keepHandles(): KeptHandles {
  const handles: object[] = [];
  living.add(handles);
  return {
    keep(handle) {
      handles.push(handle);
      return handle;
    },
    release() {
      living.delete(handles);
      dead.push(handles);
      if (dead.length > deadMax) dead.shift();
    },
  };
}
