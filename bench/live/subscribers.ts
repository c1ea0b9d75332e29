// One generator of the live benchmark: many connections with one live query each. Tells of every push after
// the first when it came, in nanoseconds of the machine's monotonic clock, which processes share.
// Usage: node subscribers.ts <url> <from> <count> <watch as JSON, "{n}" stands for the number>
import { WebSocket } from "ws";

const [url = "", from = "0", count = "0", watch = "{}"] = process.argv.slice(2);
const atOnce = 200;

/** Told together when no more comes for a moment: messages between processes cost more than pushes. */
let told: { readonly n: number; readonly atNs: string }[] = [];
let telling: NodeJS.Timeout | null = null;
function tell(n: number, atNs: bigint): void {
  told.push({ n, atNs: String(atNs) });
  if (telling !== null) clearTimeout(telling);
  telling = setTimeout(() => {
    process.send?.({ pushes: told });
    told = [];
    telling = null;
  }, 5);
}

let opened = 0;
let next = Number(from);
const end = next + Number(count);
await new Promise<void>((resolve) => {
  const open = (): void => {
    if (next === end) return;
    const n = next++;
    const socket = new WebSocket(`${url.replace("http", "ws")}/api/live`, "keelson.live.1", {
      perMessageDeflate: false,
    });
    let isFirst = true;
    socket.on("open", () => {
      // Ids differ, as those of real clients do: each push is a message of its own.
      const sub = `{"id":${n + 1},"watch":${watch.replace("{n}", String(n))}}`;
      socket.send(`{"type":"subscribe","subs":[${sub}]}`);
    });
    socket.on("error", (error) => {
      throw error;
    });
    socket.on("message", (data: Buffer) => {
      const atNs = process.hrtime.bigint();
      const head = data.toString("utf8", 0, 14);
      if (head !== '{"type":"push"') return;
      if (!isFirst) {
        tell(n, atNs);
        return;
      }
      isFirst = false;
      opened += 1;
      if (opened === Number(count)) resolve();
      else open();
    });
  };
  for (let index = 0; index < atOnce; index++) open();
});
process.send?.({ ready: true });
process.once("disconnect", () => process.exit(0));
