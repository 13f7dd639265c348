// Headless Chromium as a peer: `chromium_peer.mjs client URL`. A page has no pings, and a browser always offers
// permessage-deflate. See README.md.
import { createRequire } from 'node:module';
import { check, messages } from './dialogue.mjs';

const { chromium } = createRequire(process.env.NPM_PACKAGES + '/')('playwright-core');

/** Runs in the page: opens the socket that the other functions use. */
function open(url) {
  globalThis.socket = new WebSocket(url);
  socket.binaryType = 'arraybuffer';
  return new Promise((resolve, reject) => {
    socket.onopen = () => resolve(true);
    socket.onclose = ({ code }) => reject(new Error(`closed with ${code}`));
  });
}

/** Runs in the page: sends bytes given as base64, and returns the echo in the same form. */
async function exchange([base64, binary]) {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const { data } = await new Promise((resolve, reject) => {
    socket.onmessage = resolve;
    socket.onclose = ({ code }) => reject(new Error(`closed with ${code}`));
    socket.send(binary ? bytes : new TextDecoder().decode(bytes));
  });
  const echo = typeof data === 'string' ? new TextEncoder().encode(data) : new Uint8Array(data);
  const same = echo.length === bytes.length && echo.every((byte, index) => byte === bytes[index]);
  return same && (typeof data !== 'string') === binary;
}

/** Runs in the page: closes, and returns what the close event says. */
function close([code, reason]) {
  return new Promise((resolve) => {
    socket.onclose = (event) => resolve([event.code, event.reason, event.wasClean]);
    socket.close(code, reason);
  });
}

const [url] = process.argv.slice(3);
// Chromium refuses its own sandbox to root, and its page here comes from no address, so that it might not visit a local
// one; the page is ours.
const args = ['--no-sandbox', '--disable-features=LocalNetworkAccessChecks'];
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args });
try {
  const page = await browser.newPage();
  // An empty page that has the server's origin, which a server may insist on; the server is not asked for it.
  await page.route('**/*', (route) => route.fulfill({ contentType: 'text/html', body: '' }));
  await page.goto(url.replace('ws:', 'http:'));
  await page.evaluate(open, url);
  for (const [name, binary, payload] of messages()) {
    check(await page.evaluate(exchange, [payload.toString('base64'), binary]), name);
  }
  const [code, reason, wasClean] = await page.evaluate(close, [3001, 'bye']);
  check(code === 3001 && reason === 'bye' && wasClean, 'close with 3001 bye');
} finally {
  await browser.close();
}
