// Our own name and colour: random at first, kept in this browser.

import { fitColour, fitName } from './people.js';

const KEY = 'libws-notes.me';

/** Each is readable as a flag with white letters on it, on light and dark paper. */
export const COLOURS = {
  red: '#c93c37',
  orange: '#b35900',
  green: '#2f7d32',
  teal: '#0f766e',
  blue: '#1f6feb',
  violet: '#7c4dbd',
  pink: '#c2337f',
  grey: '#5f6b7a',
};

const NAMES = {
  en: [
    ['Teal', 'Brave', 'Quiet', 'Sunny', 'Clever', 'Gentle', 'Swift', 'Merry'],
    ['Otter', 'Heron', 'Lynx', 'Panda', 'Finch', 'Badger', 'Koala', 'Fox'],
  ],
  'zh-CN': [
    ['青色的', '勇敢的', '安静的', '快乐的', '聪明的', '温柔的', '敏捷的', '悠闲的'],
    ['水獭', '白鹭', '猞猁', '熊猫', '燕雀', '獾', '考拉', '狐狸'],
  ],
};

const pick = (list) => list[Math.floor(Math.random() * list.length)];

/** `{ name, colour }` as it was kept, or a new one. */
export function loadProfile(language) {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY));
    if (fitName(kept.name)) return { name: fitName(kept.name), colour: fitColour(kept.colour) };
  } catch {
    // Nothing kept, or a browser that keeps nothing.
  }
  const fresh = {
    name: NAMES[language].map(pick).join(language === 'en' ? ' ' : ''),
    colour: pick(Object.values(COLOURS)),
  };
  saveProfile(fresh);
  return fresh;
}

export function saveProfile(profile) {
  try {
    localStorage.setItem(KEY, JSON.stringify(profile));
  } catch {
    // A private window: the name lasts as long as the tab.
  }
}

/** The field `user` of our awareness state. */
export function userField({ name, colour }) {
  return { name, color: colour, colorLight: `${colour}40` };
}
