// The dialog for one's own name and colour.

import { fitName } from './people.js';
import { COLOURS } from './profile.js';
import { words } from './words.js';

/** A button for each colour: a radio that looks like a dot. */
function swatch(name, colour, chosen) {
  const radio = document.createElement('input');
  radio.type = 'radio';
  radio.name = 'colour';
  radio.value = colour;
  radio.checked = chosen;
  radio.title = words.colour(name);
  radio.setAttribute('aria-label', words.colour(name));
  radio.style.setProperty('--colour', colour);
  return radio;
}

/** Opens on a click on one's own chip; every change is told at once to `onChange({ name, colour })`. */
export function setUpProfile(profile, onChange) {
  const dialog = document.querySelector('#profile');
  const name = dialog.querySelector('#name');
  const colours = dialog.querySelector('#colours');
  dialog.setAttribute('aria-label', words.you);
  dialog.querySelector('label').textContent = words.yourName;
  dialog.querySelector('legend').textContent = words.yourColour;
  dialog.querySelector('.primary').textContent = words.done;
  name.value = profile.name;
  colours.append(...Object.entries(COLOURS).map(([label, colour]) => swatch(label, colour, colour === profile.colour)));
  let current = profile;
  dialog.addEventListener('input', () => {
    const chosen = colours.querySelector(':checked');
    current = { name: fitName(name.value) || current.name, colour: chosen ? chosen.value : current.colour };
    onChange(current);
  });
  document.querySelector('#me').addEventListener('click', () => {
    name.value = current.name;
    dialog.showModal();
    name.select();
  });
  // A click beside the dialog closes it.
  dialog.addEventListener('click', (event) => event.target === dialog && dialog.close());
}
