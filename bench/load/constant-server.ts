// Answers every request with the same bytes and does nothing else: what the generator reaches against it is the
// ceiling of every figure. Usage: node constant-server.ts
import { createServer, type AddressInfo } from "node:net";

const body = JSON.stringify({ id: "post_01h455vb4pex5vsknk084sn02q", title: "x".repeat(200) });
const answer = Buffer.from(
  `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
);
const server = createServer((socket) => {
  socket.setNoDelay(true);
  // The generator sends its next request when it has the answer: a chunk is one whole small request.
  socket.on("data", () => socket.write(answer));
  socket.on("error", () => socket.destroy());
});
server.listen(0, "127.0.0.1", () => {
  console.log(
    JSON.stringify({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }),
  );
});
