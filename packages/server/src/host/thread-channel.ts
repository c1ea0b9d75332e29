// A door's end of its channel to the writer: jobs go over, answers and commits come back. When the other end
// closes, the writer has ended.
import type { MessagePort } from "node:worker_threads";
import { commitsOf, type FromWriter, type ToWriter } from "../gate/writer-messages.ts";
import type { ThreadWriter } from "../gate/thread-writer.ts";
import { openCommitRelay, type CommitRelay } from "../store/commit-feed.ts";
import type { Store } from "../store/store.ts";

/** A version of the app's way to the writer's thread. */
export interface WriterChannel {
  readonly commits: CommitRelay;
  /** Uses another port: the writer was replaced, or this is the first. */
  connect(port: MessagePort): void;
  close(): void;
}

/** Opens the end of a channel. It has no port yet. */
export function openWriterChannel(parts: {
  readonly writer: ThreadWriter;
  readonly store: Store;
  report(error: unknown): void;
}): WriterChannel {
  const { writer, store } = parts;
  let current: MessagePort | null = null;
  let isWanted = false;
  const commits = openCommitRelay({
    lastSeq: () => store.read(({ seq }) => seq) as number,
    commitsAfter: (seq, limit) => store.commitsAfter(seq, limit),
    wanted(wanted) {
      isWanted = wanted;
      current?.postMessage({ feed: wanted } satisfies ToWriter, []);
    },
    report: (error) => parts.report(error),
  });
  return {
    commits,
    connect(port) {
      current = port;
      port.on("message", (message: FromWriter) => {
        if ("answers" in message) writer.receive(message);
        else commits.publish(commitsOf(message.commits), message.seq);
      });
      port.on("close", () => {
        if (current !== port) return;
        current = null;
        writer.lost();
      });
      writer.linked({ post: (message) => port.postMessage(message, []) });
      if (isWanted) port.postMessage({ feed: true } satisfies ToWriter, []);
    },
    close() {
      const port = current;
      current = null;
      port?.close();
    },
  };
}
