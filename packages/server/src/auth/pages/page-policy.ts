// The content security policy of our pages: nothing but what a page brings itself. Sheets and scripts are named by
// their digests, so injected ones don't run; nobody may frame a page (clickjacking); forms go only where they are said to.
import { hash } from "node:crypto";

/** What a page may do. */
export interface PagePermissions {
  /** Contents of its `style` elements. */
  readonly styles?: readonly string[];
  /** Contents of its `script` elements. Default: none. */
  readonly scripts?: readonly string[];
  /** Origins or schemes, beside its own, that an answer to one of its forms may lead to. */
  readonly formTargets?: readonly string[];
  /** Whether it shows pages of its own origin in frames. Default: no. */
  readonly frames?: boolean;
}

/** The value of Content-Security-Policy. */
export function policyOf(page: PagePermissions): string {
  const { styles = [], scripts = [], formTargets = [], frames = false } = page;
  return [
    "default-src 'none'",
    `style-src ${sources(styles.map(digestOf))}`,
    `script-src ${sources(scripts.map(digestOf))}`,
    `connect-src ${scripts.length === 0 ? "'none'" : "'self'"}`,
    "img-src 'self' data:",
    "font-src 'self'",
    `form-action ${["'self'", ...formTargets].join(" ")}`,
    `frame-src ${frames ? "'self'" : "'none'"}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join("; ");
}

function sources(list: readonly string[]): string {
  return list.length === 0 ? "'none'" : list.join(" ");
}

function digestOf(content: string): string {
  return `'sha256-${hash("sha256", content, "base64")}'`;
}
