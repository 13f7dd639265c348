// Echo with Bun's own server: bun.mjs PORT [plain|deflate|broadcast].
const [port, mode = "plain"] = process.argv.slice(2);
const broadcast = mode === "broadcast";

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: Number(port),
  fetch: (request, server) => (server.upgrade(request) ? undefined : new Response("no upgrade", { status: 400 })),
  websocket: {
    maxPayloadLength: 16 << 20,
    backpressureLimit: 100 << 20,
    perMessageDeflate: mode === "deflate",
    open(socket) {
      if (broadcast) socket.subscribe("all");
    },
    message(socket, data) {
      if (broadcast) server.publish("all", data);
      else socket.send(data, mode === "deflate");
    },
  },
});
console.log(`listening on ws://127.0.0.1:${port}`);
