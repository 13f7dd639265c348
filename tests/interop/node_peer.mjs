// The `ws` package as a peer: `node_peer.mjs client URL` or `node_peer.mjs server`. See README.md.
import { createRequire } from 'node:module';

const { WebSocket, WebSocketServer } = createRequire(process.env.NPM_PACKAGES + '/')('ws');

const SIZES = [0, 1, 125, 126, 127, 65535, 65536, 1000003];
const MAX_MESSAGE = 16 * 1024 * 1024;
const STEP_MS = 20000;
const CHINESE = Buffer.from('网');

/** Text of exactly `size` bytes: three-byte characters, then ASCII for the rest. */
function text(size) {
  return Buffer.concat([Buffer.alloc(size - (size % 3), CHINESE), Buffer.alloc(size % 3, 'x')]);
}

function binary(size) {
  return Buffer.from({ length: size }, (_, index) => (index * 7 + size) & 0xff);
}

function check(ok, name) {
  console.log(`${ok ? 'ok' : 'FAIL'} ${name}`);
  if (!ok) process.exit(1);
}

/** The arguments of the next `event` of `socket`; the whole process fails when it does not come. */
function next(socket, event) {
  return new Promise((resolve) => {
    const timer = setTimeout(() => check(false, `${event} within ${STEP_MS} ms`), STEP_MS);
    socket.once(event, (...values) => {
      clearTimeout(timer);
      resolve(values);
    });
  });
}

async function client(url) {
  const socket = new WebSocket(url, { perMessageDeflate: false, maxPayload: MAX_MESSAGE });
  socket.on('error', (error) => check(false, `no error: ${error.message}`));
  await next(socket, 'open');
  for (const [kind, make] of [['text', text], ['binary', binary]]) {
    for (const size of SIZES) {
      const payload = make(size);
      socket.send(payload, { binary: kind === 'binary' });
      const [echo, isBinary] = await next(socket, 'message');
      check(isBinary === (kind === 'binary') && payload.equals(echo), `${kind} of ${size} bytes`);
    }
  }
  socket.ping('are you there?');
  const [pong] = await next(socket, 'pong');
  check(pong.toString() === 'are you there?', 'ping');
  socket.close(3001, 'bye');
  const [code, reason] = await next(socket, 'close');
  check(code === 3001 && reason.toString() === 'bye', 'close with 3001 bye');
}

function server() {
  const options = { host: '127.0.0.1', port: 0, perMessageDeflate: false, maxPayload: MAX_MESSAGE };
  const listener = new WebSocketServer(options);
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
