// npm hands SIGTERM to the shell between itself and a script, and that shell ends without handing it on: the
// script would go on with nobody to end it. Plain JavaScript that an old Node understands.

const lookEveryMs = 250;

/**
 * Calls `ended` once when the process that started this one is gone. Only below npm: who starts a script by hand
 * in the background means it to outlive the shell. Not on Windows, which never tells of another parent.
 */
export function whenParentEnds(ended) {
  if (process.env.npm_lifecycle_event === undefined || process.platform === "win32") return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    ended();
  }, lookEveryMs);
  timer.unref();
}
