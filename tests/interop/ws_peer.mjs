// The `ws` package as a peer: `ws_peer.mjs client URL` or `ws_peer.mjs server`. See README.md.
import { createRequire } from 'node:module';
import { COMPRESSED, MAX_MESSAGE, check, messages, next } from './dialogue.mjs';

const { WebSocket, WebSocketServer } = createRequire(process.env.NPM_PACKAGES + '/')('ws');
const OPTIONS = { perMessageDeflate: COMPRESSED, maxPayload: MAX_MESSAGE };

async function client(url) {
  const socket = new WebSocket(url, OPTIONS);
  const once = socket.once.bind(socket);
  socket.on('error', (error) => check(false, `no error: ${error.message}`));
  await next(once, 'open');
  for (const [name, binary, payload] of messages()) {
    socket.send(payload, { binary });
    const [echo, isBinary] = await next(once, 'message');
    check(isBinary === binary && payload.equals(echo), name);
  }
  socket.ping('are you there?');
  const [pong] = await next(once, 'pong');
  check(pong.toString() === 'are you there?', 'ping');
  socket.close(3001, 'bye');
  const [code, reason] = await next(once, 'close');
  check(code === 3001 && reason.toString() === 'bye', 'close with 3001 bye');
}

function server() {
  const listener = new WebSocketServer({ host: '127.0.0.1', port: 0, ...OPTIONS });
  listener.on('listening', () => console.log(`listening on ws://127.0.0.1:${listener.address().port}`));
  listener.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    socket.on('close', (code, reason) => console.log(`closed ${code} ${reason}`));
    socket.on('error', () => {});
  });
  process.on('SIGINT', () => process.exit(0));
}

if (process.argv[2] === 'client') await client(process.argv[3]);
else server();
