// The button that opens a row of emoji and a field for a few words.

import { words } from './words.js';

const EMOJI = ['👍', '❤️', '🎉', '😂', '👀', '🤔'];

export function setUpReactions(onReact) {
  const [button, panel, row, form, field] = ['#react', '#reactions', '#emoji', '#say', '#saying'].map((selector) =>
    document.querySelector(selector),
  );
  const show = (open) => {
    panel.hidden = !open;
    button.setAttribute('aria-expanded', String(open));
  };
  button.setAttribute('aria-label', words.react);
  field.placeholder = words.reactWith;
  field.setAttribute('aria-label', words.reactWith);
  row.append(
    ...EMOJI.map((emoji) => {
      const choice = document.createElement('button');
      choice.type = 'button';
      choice.textContent = emoji;
      choice.addEventListener('click', () => onReact(emoji));
      return choice;
    }),
  );
  // The caret stays in the text while an emoji is clicked: that is where it floats up.
  for (const element of [button, row]) element.addEventListener('mousedown', (event) => event.preventDefault());
  button.addEventListener('click', () => show(panel.hidden));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (field.value.trim()) onReact(field.value.trim());
    field.value = '';
    show(false);
  });
  document.addEventListener('keydown', (event) => event.key === 'Escape' && show(false));
  document.addEventListener('pointerdown', (event) => {
    if (!panel.contains(event.target) && !button.contains(event.target)) show(false);
  });
}
