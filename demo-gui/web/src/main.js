// The page: reads the link, opens the note, keeps what is around the text up to date.

import './styles.js';
import { openEditor } from './editor.js';
import { showCaret } from './carets.js';
import { readLink } from './link.js';
import { inkOn, initial, others } from './people.js';
import { loadProfile, saveProfile, userField } from './profile.js';
import { setUpProfile } from './profile_dialog.js';
import { setUpReactions } from './reaction_panel.js';
import { Reactions } from './reactions.js';
import { Session } from './session.js';
import { countWords, language, words } from './words.js';

/** Below this width the chips of a few people must do. */
const NARROW = 600;

const find = (selector) => document.querySelector(selector);

/** Paints a person's colour behind their initial. */
function paint(face, { name, colour }) {
  face.textContent = initial(name);
  face.style.setProperty('--colour', colour);
  face.style.setProperty('--ink', inkOn(colour));
}

/** The words for a state, for the status line. */
function stateWords({ name, kept, code }, readOnly) {
  if (name === 'live') return readOnly ? words.readOnly : words.live;
  if (name === 'reconnecting') return kept > 0 ? words.reconnectingKept(kept) : words.reconnecting;
  if (name === 'refused') return refusal(code).title;
  return words.connecting;
}

function refusal(code) {
  if (code === 1009) return { title: words.tooBig, advice: words.tooBigAdvice };
  if (code === 4401 || code === 4404) return { title: words.refused, advice: words.refusedAdvice };
  return { title: words.closed(code), advice: words.refusedAdvice };
}

class Page {
  constructor(link) {
    this.link = link;
    this.profile = loadProfile(language);
    this.readOnly = false;
    this.following = null;
    this.showMe();
    setUpProfile(this.profile, (profile) => {
      this.profile = profile;
      saveProfile(profile);
      this.showMe();
      this.session?.setUser(userField(profile));
    });
    setUpReactions((text) => this.reactions.send(text));
    for (const event of ['wheel', 'pointerdown', 'keydown']) {
      find('#editor').addEventListener(event, () => this.follow(null), { passive: true });
    }
    addEventListener('beforeunload', (event) => {
      // Changes that nobody else has would be lost with the tab.
      if (this.session.kept > 0) event.preventDefault();
    });
    this.open();
  }

  /** Opens the note; again when it turns out that the link is for readers, without what was typed meanwhile. */
  open() {
    this.session = new Session(this.link, userField(this.profile), {
      onState: (state) => this.showState(state),
      onReadOnly: () => this.becomeReadOnly(),
    });
    this.view = openEditor(find('#editor'), this.session, {
      readOnly: this.readOnly,
      onUpdate: (update) => update.docChanged && this.showText(),
    });
    this.reactions = new Reactions(this.view, this.session, find('#floating'));
    this.session.awareness.on('change', () => this.showPeople());
    find('#react').hidden = false;
    this.showText();
    this.showPeople();
    if (!this.readOnly && !matchMedia('(pointer: coarse)').matches) this.view.focus();
  }

  becomeReadOnly() {
    if (this.readOnly) return;
    this.readOnly = true;
    // Not inside the provider's own call.
    queueMicrotask(() => {
      this.following = null;
      this.reactions.end();
      this.view.destroy();
      this.session.end();
      this.open();
    });
  }

  showState(state) {
    const element = find('#state');
    element.dataset.state = state.name === 'live' && this.readOnly ? 'read-only' : state.name;
    element.textContent = stateWords(state, this.readOnly);
    if (this.session) this.showPeople();
    find('#notice').hidden = state.name !== 'refused';
    if (state.name !== 'refused') return;
    const { title, advice } = refusal(state.code);
    showNotice({ title, advice: this.session.text.length > 0 ? `${advice} ${words.copyAdvice}` : advice });
    find('#react').hidden = true;
  }

  showText() {
    const { doc } = this.view.state;
    const first = doc.iterLines();
    let title = '';
    for (const line of first) {
      title = line
        .replace(/^[\s#>*+-]*(\[[ xX]\]\s)?/, '')
        .replace(/[*_`~]/g, '')
        .trim();
      if (title) break;
    }
    find('#title').textContent = title.slice(0, 200) || words.untitled;
    document.title = `${title.slice(0, 200) || words.untitled} · ${words.app}`;
    clearTimeout(this.counting);
    this.counting = setTimeout(() => {
      find('#count').textContent = words.counted(countWords(this.session.text.toString()));
    }, 200);
  }

  showMe() {
    paint(find('#me .face'), this.profile);
    find('#me .name').textContent = this.profile.name;
    find('#me').setAttribute('aria-label', `${words.you}: ${this.profile.name}`);
  }

  showPeople() {
    const people = others(this.session.awareness);
    const shown = people.slice(0, innerWidth < NARROW ? 3 : 8);
    const rest = people.length - shown.length;
    find('#people').replaceChildren(...shown.map((person) => this.chip(person)), ...(rest > 0 ? [more(rest)] : []));
    find('#present').textContent = this.session.state.name === 'live' ? words.people(people.length + 1) : '';
    if (this.following !== null) showCaret(this.view, this.session, this.following);
  }

  chip(person) {
    const face = document.createElement('button');
    face.type = 'button';
    face.className = 'face';
    face.title = person.name;
    face.setAttribute('aria-label', words.follow(person.name));
    face.setAttribute('aria-pressed', String(this.following === person.client));
    face.addEventListener('click', () => this.follow(this.following === person.client ? null : person.client));
    paint(face, person);
    const item = document.createElement('li');
    item.append(face);
    return item;
  }

  /** Keeps somebody's caret in view until we scroll or type ourselves. */
  follow(client) {
    if (this.following === client) return;
    this.following = client;
    this.showPeople();
  }
}

/** In the place of those for whom there is no room. */
function more(count) {
  const item = document.createElement('li');
  item.className = 'more';
  item.textContent = `+${count}`;
  item.title = words.more(count);
  return item;
}

function showNotice({ title, advice }) {
  find('#notice strong').textContent = title;
  find('#notice p').textContent = advice;
  find('#notice').hidden = false;
}

document.documentElement.lang = language;
document.title = words.app;
find('#title').textContent = words.app;
addEventListener('hashchange', () => location.reload());

const link = readLink(location);
if (link) {
  new Page(link);
} else {
  document.body.classList.add('without-note');
  showNotice({ title: words.noLink, advice: words.noLinkAdvice });
}
