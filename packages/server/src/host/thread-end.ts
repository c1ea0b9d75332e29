// How a thread of the server ends by itself. An isolate's last task is over for isolated-vm only when the thread's
// event loop has heard of it: a thread that ends before that takes the whole process with it (isolate/cpu-watchdog.ts).

/** A thread that has more to do than it knows of fails all the same. */
const quietMsMax = 2_000;

/** Ends this thread with a failure, when nothing goes on in it any more. Its watchdog is to be closed before. */
export function failThread(error: unknown): Promise<never> {
  const fail = (): never => {
    throw error;
  };
  process.once("beforeExit", fail);
  setTimeout(fail, quietMsMax).unref();
  return new Promise<never>(() => {});
}
