// The pages of one browser share its cookie, and so who calls: a page in which that changed tells the others, through a
// BroadcastChannel, where there is one. What is said is that something changed, never who is there or with what: every
// page asks the server itself.

/** What it needs of a BroadcastChannel; `unref` is of Node. */
interface TabChannel {
  postMessage(message: unknown): void;
  close(): void;
  addEventListener(kind: "message", listener: (event: { readonly data: unknown }) => void): void;
  unref?(): void;
}

type TabChannelClass = new (name: string) => TabChannel;

/** All that is ever said. */
const changedWord = "changed";

/** The other pages of this browser that call the same server. */
export class AuthTabs {
  readonly #base: string;
  readonly #heard: () => void;
  #channel: TabChannel | null = null;
  #isClosed = false;

  /** @param base of the server, without a slash at its end. @param heard who calls is another, says another page. */
  constructor(base: string, heard: () => void) {
    this.#base = base;
    this.#heard = heard;
  }

  /** From here on the others are heard. */
  listen(): void {
    if (this.#isClosed || this.#channel !== null) return;
    const channel = openChannel(this.#base);
    channel?.addEventListener("message", ({ data }) => {
      if (data === changedWord && channel === this.#channel) this.#heard();
    });
    // A program is not kept running by what it may hear.
    channel?.unref?.();
    this.#channel = channel;
  }

  /** Tells the others. This page is not told. */
  tell(): void {
    this.listen();
    this.#channel?.postMessage(changedWord);
  }

  /** For good. */
  close(): void {
    this.#isClosed = true;
    this.#channel?.close();
    this.#channel = null;
  }
}

function openChannel(base: string): TabChannel | null {
  const { BroadcastChannel: found, location } = globalThis as {
    readonly BroadcastChannel?: TabChannelClass;
    readonly location?: { readonly href: string };
  };
  if (found === undefined) return null;
  try {
    // One page may name the server by a path, another one by its whole address.
    return new found(`keelson ${new URL(`${base}/auth`, location?.href).href}`);
  } catch {
    // A frame of another site, which has no part in the cookie either; or no address, and nothing can be asked.
    return null;
  }
}
