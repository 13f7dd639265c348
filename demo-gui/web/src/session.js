// One note and its connection: the Y.Doc, y-websocket, and what state they are in.

import * as Y from 'yjs';
import { WebsocketProvider, messageAuth } from 'y-websocket';
import * as decoding from 'lib0/decoding';
import { socketUrl, subprotocols } from './link.js';

/** The shared text that the page and the app agree on. */
const TEXT = 'content';
const FORBIDDEN = 4403;
const TOO_BIG = 1009;
const PERMISSION_DENIED = 0;
const NETWORK_EVENTS = ['online', 'offline'];

/** Codes after which the host wants no further attempt. */
const isFinal = (code) => (code >= 4400 && code < 4500) || code === TOO_BIG;

/**
 * Emits `onState({ name, kept, code })`; name is connecting, live, reconnecting or refused, `kept` counts the changes
 * that the host has not seen. `onReadOnly` is called when the host says that the link is one for readers.
 */
export class Session {
  constructor({ note, token }, user, { onState, onReadOnly }) {
    this.doc = new Y.Doc();
    this.text = this.doc.getText(TEXT);
    this.kept = 0;
    this.onState = onState;
    const provider = new WebsocketProvider(socketUrl(location), note, this.doc, {
      connect: false,
      protocols: subprotocols(token),
      // Tabs of one browser meet at the host as everybody does: what the host refuses must not go around it.
      disableBc: true,
      shouldReconnect: (event) => !isFinal(event.code),
    });
    this.provider = provider;
    this.awareness = provider.awareness;
    this.awareness.setLocalState({ user, cursor: null });
    provider.messageHandlers[messageAuth] = (_encoder, decoder) => {
      if (decoding.readVarUint(decoder) === PERMISSION_DENIED) onReadOnly();
    };
    provider.on('sync', (synced) => {
      if (!synced) return;
      this.kept = 0;
      this.announce('live');
    });
    provider.on('connection-close', () => this.announce('reconnecting'));
    provider.on('closed', ({ code }) => {
      if (code === FORBIDDEN) onReadOnly();
      else this.announce('refused', code);
    });
    this.doc.on('update', (_update, origin) => {
      if (origin === provider || provider.synced) return;
      this.kept += 1;
      this.announce(this.state.name, this.state.code);
    });
    for (const event of NETWORK_EVENTS) addEventListener(event, this.retry);
    this.announce('connecting');
    provider.connect();
  }

  announce(name, code = 0) {
    this.state = { name, kept: this.kept, code };
    this.onState(this.state);
  }

  /** The network has gone or come: a socket that looks open may be dead, so take a new one. */
  retry = () => {
    const { provider } = this;
    if (this.state.name === 'refused') return;
    if (provider.ws === null) provider.connect();
    else provider.ws.close();
  };

  setUser(user) {
    this.awareness.setLocalStateField('user', user);
  }

  end() {
    for (const event of NETWORK_EVENTS) removeEventListener(event, this.retry);
    this.provider.destroy();
    this.doc.destroy();
  }
}
