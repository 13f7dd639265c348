// Who is here. What others say of themselves is checked before it is shown.

const NAME_CHARACTERS = 32;
const WORDS_CHARACTERS = 32;
const FALLBACK_COLOUR = '#6b7280';
// Control characters, zero-width marks and those that turn the direction of the text around them.
const UNFIT = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]/gu;
/** Whether the joiner at `at` holds two parts of one emoji together. */
const joinsEmoji = (text, at) =>
  /[\p{Extended_Pictographic}\p{Emoji_Modifier}\uFE0F]$/u.test(text.slice(0, at)) &&
  /^\p{Extended_Pictographic}/u.test(text.slice(at + 1));

/** A name or a few words as they may be shown: one line, no invisible characters, cut. */
function fit(text, limit) {
  const kept = text
    .slice(0, 16 * limit)
    .replace(UNFIT, (found, at, all) => (found === '\u200D' && joinsEmoji(all, at) ? found : ''))
    .trim();
  return [...kept].slice(0, limit).join('').trim();
}

export function fitName(name) {
  return typeof name === 'string' ? fit(name, NAME_CHARACTERS) : '';
}

export function fitColour(colour) {
  return typeof colour === 'string' && /^#[0-9a-f]{6}$/i.test(colour) ? colour.toLowerCase() : FALLBACK_COLOUR;
}

/** Black or white, whichever is easier to read on `colour` (#rrggbb). */
export function inkOn(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.3 ? '#111418' : '#ffffff';
}

/** The first letter that is shown for a name: whole, even if it is an emoji of several code points. */
export function initial(name) {
  if (!('Segmenter' in Intl)) return [...name][0]?.toUpperCase() ?? '?';
  const { value } = new Intl.Segmenter().segment(name)[Symbol.iterator]().next();
  return value?.segment.toUpperCase() ?? '?';
}

/** One awareness state as a person, or null when it names nobody. */
export function personOf(client, state) {
  if (state === null || typeof state !== 'object') return null;
  const user = state.user !== null && typeof state.user === 'object' ? state.user : {};
  return { client, name: fitName(user.name) || '?', colour: fitColour(user.color), cursor: state.cursor };
}

/** Everybody but us, in a steady order. */
export function others(awareness) {
  return [...awareness.getStates()]
    .filter(([client]) => client !== awareness.clientID)
    .map(([client, state]) => personOf(client, state))
    .filter((person) => person !== null)
    .sort((a, b) => a.client - b.client);
}

/** `{ id, text }` of a reaction that may be shown, or null. */
export function reactionOf(state) {
  const reaction = state?.reaction;
  if (reaction === null || typeof reaction !== 'object') return null;
  const text = typeof reaction.text === 'string' ? fit(reaction.text, WORDS_CHARACTERS) : '';
  return text && Number.isFinite(reaction.id) ? { id: reaction.id, text } : null;
}
