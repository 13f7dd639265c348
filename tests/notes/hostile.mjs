// Attacks on one note of our host over the wire. Prints `ok CHECK` or `FAIL CHECK<tab>DETAIL`.
import { createRequire } from 'node:module';

const require = createRequire(process.env.NPM_PACKAGES + '/');
const WebSocket = require('ws');
const Y = require('yjs');
const encoding = require('lib0/encoding');
const decoding = require('lib0/decoding');

const setting = JSON.parse(process.env.SETTING);
const WAIT_MS = 30000;
const PAUSE_MS = 20;
const [SYNC, AWARENESS] = [0, 1];
const [STEP1, STEP2, UPDATE] = [0, 1, 2];
const MIB = 1 << 20;
// Against the rules, too big, not binary.
const REFUSED = [1002, 1003, 1007, 1008, 1009];
const SMALL_TEXT = 'a note that must stay as it is 不变';

function check(ok, name, detail = '') {
  console.log(`${ok ? 'ok' : 'FAIL'} ${name}\t${ok ? '' : JSON.stringify(detail)}`);
  if (!ok) process.exitCode = 1;
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(condition) {
  for (const deadline = Date.now() + WAIT_MS; Date.now() < deadline; await pause(PAUSE_MS)) {
    if (condition()) return true;
  }
  return false;
}

function parts(link) {
  const [, host, note, token] = /^http:\/\/([^/]+)\/#([\w-]+)\.([\w-]+)$/.exec(link);
  return { host, url: `ws://${host}/ws/${note}`, protocols: ['libws-notes.v1', `auth.${token}`] };
}

/** A connection that sends what it likes and keeps what it gets. */
class Raw {
  messages = [];
  code = null;

  constructor(link, options = {}) {
    const { url, protocols } = parts(link);
    this.socket = new WebSocket(url, protocols, { perMessageDeflate: false, ...options });
    this.socket.on('message', (data) => this.messages.push(new Uint8Array(data)));
    this.socket.on('close', (code) => (this.code = code));
    this.socket.on('error', () => {});
    this.socket.on('unexpected-response', (_request, response) => {
      this.status = response.statusCode;
      this.socket.terminate();
    });
    this.opened = new Promise((resolve) => {
      this.socket.on('open', () => resolve(true));
      this.socket.on('close', () => resolve(false));
    });
  }

  send(bytes) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(bytes);
  }

  /** Whether the host closes this connection with a code that refuses. */
  async isRefused() {
    await until(() => this.code !== null);
    return REFUSED.includes(this.code);
  }
}

/** Numbers, texts and byte arrays as lib0 encodes them. */
const message = (...parts) => encode(parts);

function encode(parts) {
  const encoder = encoding.createEncoder();
  for (const part of parts) {
    if (typeof part === 'number') encoding.writeVarUint(encoder, part);
    else if (typeof part === 'string') encoding.writeVarString(encoder, part);
    else encoding.writeVarUint8Array(encoder, part);
  }
  return encoding.toUint8Array(encoder);
}

const sync = (kind, bytes) => message(SYNC, kind, bytes);
/** An awareness message of `[client, clock, JSON]` entries. */
const states = (...entries) => manyStates(entries);
const manyStates = (entries) => message(AWARENESS, encode([entries.length, ...entries].flat()));
const hex = (text) => Uint8Array.from(Buffer.from(text, 'hex'));

function textUpdate(text) {
  const doc = new Y.Doc();
  doc.getText('content').insert(0, text);
  return Y.encodeStateAsUpdate(doc);
}

/** A repeatable stream of numbers below 256. */
function* noise(seed) {
  for (let state = seed; ;) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state >>> 24;
  }
}

function noisy(length, seed) {
  const numbers = noise(seed);
  return Uint8Array.from({ length }, () => numbers.next().value);
}

/** The text of the note as a new client gets it. */
async function textOf(link) {
  const client = new Raw(link);
  await client.opened;
  client.send(sync(STEP1, Uint8Array.of(0)));
  const answer = () => client.messages.find((bytes) => bytes[0] === SYNC && bytes[1] === STEP2);
  if (!(await until(answer))) return null;
  const decoder = decoding.createDecoder(answer().subarray(2));
  const doc = new Y.Doc();
  Y.applyUpdate(doc, decoding.readVarUint8Array(decoder));
  client.socket.close();
  return doc.getText('content').toString();
}

/** Asks the other note for its state, again and again, while `work` goes on; returns the times in ms. */
async function meanwhile(work) {
  const client = new Raw(setting.bystander);
  await client.opened;
  const times = [];
  let done = false;
  work.finally(() => (done = true));
  while (!done) {
    const before = client.messages.length;
    const answered = () => client.messages.slice(before).some((bytes) => bytes[0] === SYNC && bytes[1] === STEP2);
    const started = performance.now();
    client.send(sync(STEP1, Uint8Array.of(0)));
    while (!answered() && client.code === null && performance.now() - started < WAIT_MS) await pause(1);
    if (!answered()) return { times, lost: true };
    times.push(performance.now() - started);
    await pause(PAUSE_MS);
  }
  client.socket.close();
  return { times, lost: false };
}

const state = (object) => JSON.stringify(object);
const user = { name: 'Mallory', color: '#c93c37', colorLight: '#c93c3740' };

// Each is a list of frames that must end the connection.
const FATAL = {
  'an update of 13 bytes that claims half a gigabyte': [sync(UPDATE, hex('00020a84ac8b71f737b08fc432'))],
  'the same as step 2': [sync(STEP2, hex('00020a84ac8b71f737b08fc432'))],
  'a cut update': [sync(UPDATE, textUpdate('hello').subarray(0, 9))],
  'an update with more behind it': [sync(UPDATE, Uint8Array.of(...textUpdate('hello'), 1, 2, 3))],
  'an empty update': [sync(UPDATE, new Uint8Array(0))],
  'an update of a client with too large a number': [
    sync(UPDATE, hex('0101ffffffffffffffffff01000401' + '0363616e0161' + '00')),
  ],
  'a state vector that is cut': [sync(STEP1, Uint8Array.of(5, 1))],
  'a state vector that claims 2^32 clients': [sync(STEP1, hex('ffffffff0f'))],
  'a message of no known type': [Uint8Array.of(99)],
  'a sync message of no known kind': [message(SYNC, 77)],
  'an empty message': [new Uint8Array(0)],
  'a number without an end': [new Uint8Array(16).fill(0xff)],
  'a length beyond the frame': [Uint8Array.of(SYNC, UPDATE, 0xff, 0xff, 0xff, 0x7f, 1)],
  'text instead of bytes': ['{"hello": 1}'],
  'presence that is not JSON': [states([7, 1, '{"user":'])],
  'presence that is a list': [states([7, 1, '[1,2]'])],
  'presence nested a thousand times': [states([7, 1, '{"a":' + '['.repeat(1000) + ']'.repeat(1000) + '}'])],
  'presence of 5 KiB': [states([7, 1, state({ user, more: 'x'.repeat(5 * 1024) })])],
  'presence that claims 10^6 people': [message(AWARENESS, message(1000000, 7, 1, '{}'))],
  'presence of 1,000 people in one message': [
    manyStates(Array.from({ length: 1000 }, (_, at) => [at + 1000, 1, state({ user })])),
  ],
  'presence of 10^6 people': [manyStates(Array.from({ length: 1000000 }, (_, at) => [at + 1000, 1, '{}']))],
  'presence of 640 people in ten messages': Array.from({ length: 10 }, (_, part) =>
    manyStates(Array.from({ length: 64 }, (_, at) => [part * 64 + at + 1000, 1, state({ user })])),
  ),
  'a message of 100 MB': [new Uint8Array(100e6)],
};

async function fatal() {
  for (const [name, frames] of Object.entries(FATAL)) {
    const attacker = new Raw(setting.victim);
    await attacker.opened;
    for (const frame of frames) attacker.send(frame);
    check(await attacker.isRefused(), `refused: ${name}`, attacker.code);
    attacker.socket.terminate();
  }
}

/** Random bytes where an update is expected: hardly any of them is one. */
async function noiseUpdates() {
  let refused = 0;
  const times = 200;
  for (let seed = 1; seed <= times; seed += 1) {
    const attacker = new Raw(setting.victim);
    await attacker.opened;
    attacker.send(sync(UPDATE, noisy(3 + seed, seed)));
    attacker.send(Uint8Array.of(99));
    refused += await attacker.isRefused();
  }
  check(refused === times, `${times} random updates are refused`, refused);
}

/** A whole update with one byte changed: many are valid, and none may harm anybody. */
async function changedUpdates() {
  const good = textUpdate('x');
  let answered = 0;
  const times = 8 * good.length;
  for (let bit = 0; bit < times; bit += 1) {
    const bad = good.slice();
    bad[bit >> 3] ^= 1 << (bit & 7);
    const attacker = new Raw(setting.bystander);
    await attacker.opened;
    attacker.send(sync(UPDATE, bad));
    attacker.send(sync(STEP1, Uint8Array.of(0)));
    const answer = (bytes) => bytes[0] === SYNC && bytes[1] === STEP2;
    answered += await until(() => attacker.code !== null || attacker.messages.some(answer));
    attacker.socket.terminate();
  }
  check(answered === times, `${times} updates with a wrong bit are taken or refused`, answered);
}

/** Adds 1 MiB after 1 MiB, each a good update, until it is stopped. */
async function hugeNote() {
  const attacker = new Raw(setting.bystander);
  await attacker.opened;
  const doc = new Y.Doc();
  const text = doc.getText('content');
  const updates = [];
  doc.on('update', (update) => updates.push(update));
  for (let part = 0; part < 120 && attacker.code === null; part += 1) {
    text.insert(0, String.fromCharCode(97 + (part % 26)).repeat(MIB - 4096));
    attacker.send(sync(UPDATE, updates.pop()));
    await until(() => attacker.socket.bufferedAmount < 4 * MIB || attacker.code !== null);
  }
  check(await attacker.isRefused(), 'a note that grows to 100 MB is stopped', attacker.code);
}

/** What one client says of itself, as another gets it. */
async function seenByOthers(name, object, isHarmless) {
  const watcher = new Raw(setting.victim);
  await watcher.opened;
  const attacker = new Raw(setting.victim);
  await attacker.opened;
  const client = 4000000000 + Math.floor(Math.random() * 1e6);
  attacker.send(states([client, 1, state(object)]));
  let seen;
  const look = () => {
    for (const bytes of watcher.messages.filter((one) => one[0] === AWARENESS)) {
      const decoder = decoding.createDecoder(bytes.subarray(1));
      const inner = decoding.createDecoder(decoding.readVarUint8Array(decoder));
      for (let left = decoding.readVarUint(inner); left > 0; left -= 1) {
        const [who, , json] = [decoding.readVarUint(inner), decoding.readVarUint(inner), decoding.readVarString(inner)];
        if (who === client) seen = JSON.parse(json);
      }
    }
    return seen !== undefined || attacker.code !== null;
  };
  await until(look);
  const harmless = seen === undefined || seen === null ? REFUSED.includes(attacker.code) : isHarmless(seen);
  check(harmless, `harmless for others: ${name}`, [seen, attacker.code]);
  attacker.socket.terminate();
  watcher.socket.terminate();
}

const UNFIT = /[\p{Cc}\u061c\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/u;
const cleanName = ({ user: { name } }) => name.length > 0 && [...name].length <= 32 && !UNFIT.test(name);
const end = (clock) => ({ type: null, tname: null, item: { client: 1, clock }, assoc: 0 });

/** Reads the cursor as y-codemirror.next does, which throws at what cannot be. */
function stockReads({ cursor }) {
  if (cursor === null || cursor === undefined) return true;
  const doc = new Y.Doc();
  doc.getText('content').insert(0, 'text');
  try {
    for (const side of [cursor.anchor, cursor.head]) Y.createAbsolutePositionFromRelativePosition(side, doc);
    return true;
  } catch {
    return false;
  }
}

async function presence() {
  const named = (name) => ({ user: { ...user, name }, cursor: null });
  await seenByOthers('a name from right to left', named('\u202eyrollaM\u2067'), cleanName);
  await seenByOthers('a name of nothing', named('\u200b\u200d\ufeff'), cleanName);
  await seenByOthers('a name with NUL and a new line', named('Mal\u0000lo\nry'), cleanName);
  await seenByOthers('a name of 1,000 letters', named('长'.repeat(1000)), cleanName);
  await seenByOthers('a name that is a number', named(7), cleanName);
  await seenByOthers('no name', { user: {} }, cleanName);
  const colour = {
    user: { ...user, color: 'url(http://example.org/)', colorLight: 'red;background:url(x)' },
    cursor: null,
  };
  await seenByOthers(
    'a colour that is none',
    colour,
    (seen) => /^#[0-9a-f]{6}$/.test(seen.user.color) && !seen.user.colorLight.includes('url'),
  );
  await seenByOthers('a cursor at -1', { user, cursor: { anchor: end(-1), head: end(-1) } }, stockReads);
  await seenByOthers('a cursor at 10^300', { user, cursor: { anchor: end(1e300), head: end(0) } }, stockReads);
  await seenByOthers('a cursor without ends', { user, cursor: { anchor: 1, head: [] } }, stockReads);
  await seenByOthers(
    'a cursor in another text',
    { user, cursor: { anchor: { tname: 'x', assoc: 0 }, head: {} } },
    stockReads,
  );
  await seenByOthers(
    'a reaction of 1,000 letters',
    { user, reaction: { id: 1, text: 'ha'.repeat(500) } },
    (seen) => !seen.reaction || [...seen.reaction.text].length <= 32,
  );
}

/** G04: pages of other origins, and names that only look local. */
async function origins() {
  const { host } = parts(setting.victim);
  const doors = {
    'a page of another origin': [{ origin: 'http://evil.example' }, false],
    'a page of another port': [{ origin: 'http://127.0.0.1:1' }, false],
    'a page without an origin (null)': [{ origin: 'null' }, false],
    'its own page': [{ origin: `http://${host}` }, true],
    'a program that is no page': [{}, true],
    'a name that was bent to this address': [{ headers: { host: `evil.example:${host.split(':')[1]}` } }, false],
  };
  for (const [name, [options, welcome]] of Object.entries(doors)) {
    const visitor = new Raw(setting.victim, options);
    const opened = await visitor.opened;
    const right = welcome ? opened : !opened && visitor.status >= 400 && visitor.status < 500;
    check(right, `${welcome ? 'let in' : 'refused'}: ${name}`, [opened, visitor.status]);
    visitor.socket.terminate();
  }
}

async function main() {
  const owner = new Raw(setting.victim);
  await owner.opened;
  owner.send(sync(UPDATE, textUpdate(SMALL_TEXT)));
  const before = async () => (await textOf(setting.victim)) === SMALL_TEXT;
  check(await before(), 'the note has its text');
  await origins();
  const { times, lost } = await meanwhile(
    (async () => {
      await fatal();
      await noiseUpdates();
      await presence();
    })(),
  );
  times.sort((a, b) => a - b);
  check(!lost && times.length > 100, 'the other note answers all the while', [times.length, lost]);
  console.log(
    `hostile: ${times.length} answers meanwhile, median ${times[times.length >> 1].toFixed(1)} ms, p99 ${times[Math.floor(times.length * 0.99)].toFixed(1)} ms`,
  );
  check(await before(), 'the attacked note is as it was', (await textOf(setting.victim))?.slice(0, 200));
  await changedUpdates();
  await hugeNote();
  check(await before(), 'and still is');
}

try {
  await main();
} catch (error) {
  check(false, 'without an exception', String(error.stack));
} finally {
  process.exit();
}
