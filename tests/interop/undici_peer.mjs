// undici, the WebSocket of Node itself, as a peer: `undici_peer.mjs client URL`. It has the browser's interface, so no
// pings, and it always offers permessage-deflate. See README.md.
import { createRequire } from 'node:module';
import { check, messages, next } from './dialogue.mjs';

const { WebSocket } = createRequire(process.env.NPM_PACKAGES + '/')('undici');

const socket = new WebSocket(process.argv[3]);
const once = (event, callback) => socket.addEventListener(event, callback, { once: true });
socket.binaryType = 'arraybuffer';
socket.addEventListener('error', (event) => check(false, `no error: ${event.message}`));
await next(once, 'open');
for (const [name, binary, payload] of messages()) {
  socket.send(binary ? payload : payload.toString());
  const [{ data }] = await next(once, 'message');
  check((typeof data !== 'string') === binary && payload.equals(Buffer.from(data)), name);
}
socket.close(3001, 'bye');
const [{ code, reason, wasClean }] = await next(once, 'close');
check(code === 3001 && reason === 'bye' && wasClean, 'close with 3001 bye');
