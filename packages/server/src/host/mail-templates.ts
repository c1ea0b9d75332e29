// The app's own words for mails: keelson/mail/<name>.txt and .html. Read when a mail is sent, so that an edit counts
// for the next one; mails are few and the files small.
import { join } from "node:path";
import type { MailTemplateSource } from "../auth/mail/mail-render.ts";
import type { Disk } from "../base/disk.ts";

/** @param appDir absolute; holds keelson/app.ts. */
export function openMailTemplates(disk: Pick<Disk, "read">, appDir: string): MailTemplateSource {
  const folder = join(appDir, "keelson", "mail");
  return {
    read: (file) => {
      const bytes = disk.read(join(folder, file));
      return bytes === null ? null : Buffer.from(bytes).toString("utf8");
    },
  };
}
