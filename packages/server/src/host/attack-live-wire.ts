// A live connection of an attack: subscribes, and keeps all that is pushed as text.
import { WebSocket } from "ws";
import type { LiveWire } from "../engineer/attack/attack-target.ts";

const answerMsMax = 20_000;
/** How long nothing must arrive before a live connection counts as settled. */
const settleMs = 60;
/** How long a push may take on a machine with other work. */
const liveMsMax = 3_000;

/** Opens a live connection. @param url of the server. @param token null: nobody. */
export function openLiveWire(url: string, token: string | null): Promise<LiveWire> {
  const socket = new WebSocket(`${url.replace("http", "ws")}/api/live`, "keelson.live.1");
  let arrived = "";
  let wake = (): void => {};
  socket.on("message", (data: Buffer) => {
    arrived += `${data.toString("utf8")}\n`;
    wake();
  });
  const take = (): string => {
    const text = arrived;
    arrived = "";
    return text;
  };
  const message = (ms: number): Promise<boolean> =>
    new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), ms);
      wake = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  return new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("open", () => {
      socket.send(JSON.stringify({ type: "token", token }));
      resolve({
        async subscribe(id, watch) {
          socket.send(JSON.stringify({ type: "subscribe", subs: [{ id, watch }] }));
          const isThere = (): boolean =>
            arrived.includes(`"id":${id},`) || arrived.includes(`"id":${id}}`);
          while (!isThere()) if (!(await message(answerMsMax))) break;
          return take();
        },
        async until(text) {
          while (!arrived.includes(text)) if (!(await message(liveMsMax))) return false;
          return true;
        },
        async settle() {
          while (await message(settleMs));
          return take();
        },
        close: () => socket.close(),
      });
    });
  });
}
