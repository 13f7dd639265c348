// The carets and selections of the others, and our own in the awareness state.
//
// y-codemirror.next has such a plugin too. It sets styles by attribute, which `default-src 'self'` forbids, and believes
// what it is told; what goes over the wire is the same.

import { Annotation } from '@codemirror/state';
import { Decoration, EditorView, ViewPlugin, WidgetType } from '@codemirror/view';
import * as Y from 'yjs';
import { inkOn, others } from './people.js';

/** Presence goes out at most thirty times a second. */
const PRESENCE_MS = 33;
const SELECTION_ALPHA = '40';

const moved = Annotation.define();

/** `[anchor, head]` as offsets in `text`, or null where the cursor says nothing that fits. */
export function readCursor(cursor, text) {
  try {
    const offsets = [cursor.anchor, cursor.head].map((end) => {
      const found = Y.createAbsolutePositionFromRelativePosition(Y.createRelativePositionFromJSON(end), text.doc);
      return found !== null && found.type === text && found.index >= 0 && found.index <= text.length
        ? found.index
        : null;
    });
    return offsets.includes(null) ? null : offsets;
  } catch {
    return null;
  }
}

/** A caret with a flag that fades; a new `move` shows the flag again. */
class Caret extends WidgetType {
  constructor({ name, colour }, move) {
    super();
    Object.assign(this, { name, colour, move });
  }

  eq(other) {
    return other.name === this.name && other.colour === this.colour && other.move === this.move;
  }

  toDOM(view) {
    const caret = document.createElement('span');
    caret.className = 'caret';
    caret.style.setProperty('--colour', this.colour);
    caret.style.setProperty('--ink', inkOn(this.colour));
    const flag = caret.appendChild(document.createElement('span'));
    flag.className = 'flag';
    flag.textContent = this.name;
    view.requestMeasure({
      key: caret,
      read: () => caret.getBoundingClientRect().left + flag.offsetWidth > view.scrollDOM.getBoundingClientRect().right,
      write: (over) => caret.classList.toggle('leftwards', over),
    });
    return caret;
  }

  ignoreEvent() {
    return true;
  }
}

class Carets {
  constructor(view, { awareness, text }) {
    Object.assign(this, { view, awareness, text });
    this.moves = new Map();
    this.changed = ({ added, updated, removed }) => {
      const foreign = [...added, ...updated].filter((client) => client !== awareness.clientID);
      for (const client of foreign) this.notice(client);
      for (const client of removed) this.moves.delete(client);
      if (foreign.length + removed.length > 0) view.dispatch({ annotations: moved.of(true) });
    };
    awareness.on('change', this.changed);
    this.draw();
  }

  /** Counts how often a caret was moved by its owner; text that is typed before it moves it too, but shows no flag. */
  notice(client) {
    const cursor = JSON.stringify(this.awareness.getStates().get(client)?.cursor ?? null);
    const before = this.moves.get(client);
    if (before?.cursor !== cursor) this.moves.set(client, { cursor, count: (before?.count ?? 0) + 1 });
  }

  draw() {
    const { doc } = this.view.state;
    const ranges = [];
    for (const person of others(this.awareness)) {
      const cursor = readCursor(person.cursor, this.text);
      if (cursor === null) continue;
      const [anchor, head] = cursor.map((at) => Math.min(at, doc.length));
      if (anchor !== head) {
        const attributes = { style: `background-color: ${person.colour}${SELECTION_ALPHA}` };
        ranges.push(Decoration.mark({ attributes }).range(Math.min(anchor, head), Math.max(anchor, head)));
      }
      const widget = new Caret(person, this.moves.get(person.client)?.count);
      ranges.push(Decoration.widget({ widget, side: head > anchor ? -1 : 1 }).range(head));
    }
    this.decorations = Decoration.set(ranges, true);
  }

  update(update) {
    const foreign = update.transactions.some((transaction) => transaction.annotation(moved));
    if (update.docChanged || foreign) this.draw();
    if (update.docChanged || update.selectionSet || update.focusChanged) this.publishSoon();
  }

  publishSoon() {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.publish();
    }, PRESENCE_MS);
  }

  publish() {
    const { view, text, awareness } = this;
    const { main } = view.state.selection;
    const end = (at) => Y.createRelativePositionFromTypeIndex(text, at);
    const cursor = view.hasFocus ? { anchor: end(main.anchor), head: end(main.head) } : null;
    if (JSON.stringify(awareness.getLocalState()?.cursor) !== JSON.stringify(cursor)) {
      awareness.setLocalStateField('cursor', cursor);
    }
  }

  destroy() {
    clearTimeout(this.timer);
    this.awareness.off('change', this.changed);
  }
}

/** The extension for one session. */
export function carets(session) {
  return ViewPlugin.define((view) => new Carets(view, session), { decorations: (plugin) => plugin.decorations });
}

/** Brings somebody's caret into view. */
export function showCaret(view, session, client) {
  const cursor = readCursor(session.awareness.getStates().get(client)?.cursor, session.text);
  if (cursor === null) return;
  const at = Math.min(cursor[1], view.state.doc.length);
  view.dispatch({ effects: EditorView.scrollIntoView(at, { y: 'center' }) });
}
