// What a code of the design review is: what its page says, and two examples that are tests.
import type { Category, Severity } from "../finding.ts";

/** A code. Codes are for ever; texts may change. */
export interface CheckCode {
  readonly severity: Severity;
  readonly category: Category;
  /** Up to eight words. */
  readonly title: string;
  /** Why it matters, in a line. */
  readonly why: string;
  /** What is looked at, and when nothing is said. */
  readonly about: string;
  /**
   * Files of an app (each begins with `// <path>`; `// before: <path>` is the app as it was shipped) on top of the
   * app in example-app.ts. The line that ends in `// <- <code>` is where it is found, and nothing else is found.
   */
  readonly bad: string;
  /** The same, mended: nothing is found. */
  readonly good: string;
}
