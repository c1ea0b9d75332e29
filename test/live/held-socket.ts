import type { LiveWebSocketClass } from "keelson/client";

/** A WebSocket whose messages can be kept back, in both directions. */
export function heldSocket(): {
  readonly webSocket: LiveWebSocketClass;
  hold(what: "sent" | "heard", holds: (text: string) => boolean): () => void;
} {
  const holds = { sent: (_text: string) => false, heard: (_text: string) => false };
  const kept = { sent: [] as (() => void)[], heard: [] as (() => void)[] };
  class HeldSocket extends WebSocket {
    override send(text: string): void {
      if (holds.sent(text)) kept.sent.push(() => super.send(text));
      else super.send(text);
    }
    override addEventListener(kind: string, listener: EventListenerOrEventListenerObject): void {
      const tell = typeof listener === "function" ? listener : listener.handleEvent.bind(listener);
      super.addEventListener(kind, (event: Event) => {
        const text = event instanceof MessageEvent ? String(event.data) : "";
        if (holds.heard(text)) kept.heard.push(() => tell(event));
        else tell(event);
      });
    }
  }
  return {
    webSocket: HeldSocket as unknown as LiveWebSocketClass,
    hold(what, which) {
      holds[what] = which;
      return () => {
        holds[what] = () => false;
        for (const pass of kept[what].splice(0)) pass();
      };
    },
  };
}
