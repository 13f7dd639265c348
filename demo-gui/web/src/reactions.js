// Reactions: an emoji or a few words that float up beside the caret of who sent them, for everybody.

import { readCursor } from './carets.js';
import { fitColour, inkOn, reactionOf } from './people.js';

/** How long the field stays in the awareness state: long enough for everybody to see it once. */
const KEEP_MS = 3000;
const MOST_AT_ONCE = 40;
/** Pixels that a bubble keeps from the side. */
const EDGE = 8;

export class Reactions {
  constructor(view, session, layer) {
    Object.assign(this, { view, session, layer });
    this.seen = new Map();
    this.next = Math.floor(Math.random() * 2 ** 30);
    this.changed = ({ added, updated, removed }) => {
      for (const client of [...added, ...updated]) this.notice(client);
      for (const client of removed) this.seen.delete(client);
    };
    session.awareness.on('change', this.changed);
  }

  send(text) {
    const { awareness } = this.session;
    this.next += 1;
    awareness.setLocalStateField('reaction', { id: this.next, text });
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const { reaction, ...rest } = awareness.getLocalState() ?? {};
      if (reaction) awareness.setLocalState(rest);
    }, KEEP_MS);
  }

  notice(client) {
    const state = this.session.awareness.getStates().get(client);
    const reaction = reactionOf(state);
    if (reaction === null || this.seen.get(client) === reaction.id) return;
    this.seen.set(client, reaction.id);
    this.float(reaction.text, state);
  }

  float(text, state) {
    if (this.layer.childElementCount >= MOST_AT_ONCE) return;
    const bubble = document.createElement('span');
    const colour = fitColour(state.user?.color);
    bubble.className = /[\p{L}\p{N}]/u.test(text) ? 'bubble said' : 'bubble';
    bubble.textContent = text;
    bubble.style.setProperty('--colour', colour);
    bubble.style.setProperty('--ink', inkOn(colour));
    bubble.addEventListener('animationend', () => bubble.remove());
    this.view.requestMeasure({
      read: () => this.placeOf(state),
      write: ({ left, top }) => {
        this.layer.append(bubble);
        const room = this.layer.clientWidth - bubble.offsetWidth - EDGE;
        bubble.style.left = `${Math.max(EDGE, Math.min(left, room))}px`;
        bubble.style.top = `${top}px`;
      },
    });
  }

  /** Beside the caret where it is in sight, else at the lower edge. */
  placeOf(state) {
    const box = this.layer.getBoundingClientRect();
    const cursor = readCursor(state.cursor, this.session.text);
    const at = cursor && this.view.coordsAtPos(Math.min(cursor[1], this.view.state.doc.length));
    const inSight = at && at.top >= box.top && at.bottom <= box.bottom;
    const spread = Math.random() * 24 - 8;
    return inSight
      ? { left: at.left - box.left + spread, top: at.top - box.top }
      : { left: box.width / 2 + spread * 3, top: box.height - 72 };
  }

  end() {
    clearTimeout(this.timer);
    this.session.awareness.off('change', this.changed);
  }
}
