// Echo with `ws`: ws.mjs PORT [plain|deflate|broadcast]. Compression at the library's defaults, without a threshold.
import { createRequire } from "node:module";
import { join } from "node:path";

const { WebSocketServer } = createRequire(join(process.env.NPM_PACKAGES, "package.json"))("ws");
const [port, mode = "plain"] = process.argv.slice(2);
const deflate = mode === "deflate" ? { threshold: 0 } : false;
const server = new WebSocketServer({
  host: "127.0.0.1",
  port: Number(port),
  maxPayload: 16 << 20,
  perMessageDeflate: deflate,
});

server.on("connection", (socket) => {
  socket.on("message", (data, binary) => {
    if (mode === "broadcast") {
      for (const other of server.clients) other.send(data, { binary });
    } else {
      socket.send(data, { binary });
    }
  });
});
server.on("listening", () => console.log(`listening on ws://127.0.0.1:${port}`));
