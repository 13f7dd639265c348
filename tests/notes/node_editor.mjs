// A stock Yjs client (yjs + y-websocket over `ws`) behind the line protocol of README.md: `node_editor.mjs LINK NAME`.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const require = createRequire(process.env.NPM_PACKAGES + '/');
const Y = require('yjs');
const { WebsocketProvider } = require('y-websocket');
const WebSocket = require('ws');

const TEXT = 'content';
const NOTE_LINK = /^http:\/\/([^/]+)\/#([\w-]+)\.([\w-]+)$/;

/** Server, room and options of a share link, or of `ws://host/room`. `?query` asks for the token in the query. */
function target(link) {
  const note = NOTE_LINK.exec(link.replace('?query', ''));
  if (note === null) {
    const at = link.lastIndexOf('/');
    return [link.slice(0, at), link.slice(at + 1), {}];
  }
  const [, host, name, token] = note;
  const byQuery = link.includes('?query');
  return [
    `ws://${host}/ws`,
    name,
    byQuery ? { params: { token } } : { protocols: ['libws-notes.v1', `auth.${token}`] },
  ];
}

const [link, name] = process.argv.slice(2);
let attempts = 0;
let drops = 0;
let closed = null;
let updates = 0;
let reacted = 0;
const refusals = [];

class CountedSocket extends WebSocket {
  constructor(...args) {
    super(...args);
    attempts += 1;
  }
}

const doc = new Y.Doc();
const text = doc.getText(TEXT);
const [server, room, options] = target(link);
const provider = new WebsocketProvider(server, room, doc, {
  WebSocketPolyfill: CountedSocket,
  disableBc: true,
  ...options,
});
const { awareness } = provider;
awareness.setLocalStateField('user', { name, color: '#2f7d32', colorLight: '#2f7d3240' });
provider.on('connection-error', () => {});
provider.on('connection-close', () => (drops += 1));
provider.on('closed', ({ code }) => (closed = code));
provider.messageHandlers[2] = (_encoder, decoder) => refusals.push(decoder.arr.length);
doc.on('update', () => (updates += 1));

/** The protocol counts code points, Y.Text counts UTF-16. */
function utf16(at) {
  let offset = 0;
  const whole = text.toString();
  for (const character of whole) {
    if (at-- <= 0) break;
    offset += character.length;
  }
  return offset;
}

const points = (offset) => [...text.toString().slice(0, offset)].length;

function state() {
  if (closed !== null) return 'refused';
  return provider.synced ? 'live' : 'reconnecting';
}

function others() {
  return [...awareness.getStates()].filter(([client]) => client !== awareness.clientID).map(([, value]) => value);
}

/** Reads a cursor exactly as y-codemirror.next does. */
function caret({ user, cursor }) {
  const [anchor, head] = [cursor.anchor, cursor.head].map((end) =>
    Y.createAbsolutePositionFromRelativePosition(end, doc),
  );
  if (anchor.type !== text || head.type !== text) throw new Error('a cursor in another text');
  return { name: user.name, color: user.color, anchor: points(anchor.index), head: points(head.index) };
}

const COMMANDS = {
  text: () => ({ text: text.toString() }),
  insert: ({ at, text: inserted }) => text.insert(utf16(at), inserted),
  delete: ({ at, count, only }) => {
    const [from, to] = [utf16(at), utf16(at + count)];
    const done = only === undefined || text.toString().slice(from, to) === only;
    if (done) text.delete(from, to - from);
    return { done };
  },
  select: ({ anchor, head }) => {
    const end = (at) => Y.createRelativePositionFromTypeIndex(text, utf16(at));
    awareness.setLocalStateField('cursor', { anchor: end(anchor), head: end(head) });
  },
  react: ({ text: said }) => awareness.setLocalStateField('reaction', { id: (reacted += 1), text: said }),
  reactions: () => ({
    reactions: others()
      .filter((one) => one.reaction)
      .map((one) => one.reaction.text),
  }),
  state: () => ({ state: state(), code: closed, attempts, drops, refusals: refusals.length, updates }),
  people: () => ({
    people: others()
      .filter((one) => one.user)
      .map((one) => one.user),
  }),
  carets: () => ({
    carets: others()
      .filter((one) => one.cursor)
      .map(caret),
  }),
  cursors: () => ({
    cursors: others()
      .filter((one) => one.cursor)
      .map((one) => one.cursor),
  }),
};

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  let answer;
  try {
    answer = { ok: true, ...COMMANDS[command.do](command) };
  } catch (error) {
    answer = { ok: false, error: String(error.stack) };
  }
  console.log(JSON.stringify(answer));
}
provider.destroy();
process.exit(0);
