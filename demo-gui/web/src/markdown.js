// Markdown without the languages that @codemirror/lang-markdown brings along.

import { EditorSelection } from '@codemirror/state';
import { HighlightStyle, Language, defineLanguageFacet, syntaxHighlighting } from '@codemirror/language';
import { EditorView, keymap } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { GFM, parser } from '@lezer/markdown';
import { blocks } from './blocks.js';

const language = new Language(defineLanguageFacet(), parser.configure([GFM]), [], 'markdown');

const styles = HighlightStyle.define([
  { tag: tags.heading1, class: 'md-h1' },
  { tag: tags.heading2, class: 'md-h2' },
  { tag: [tags.heading3, tags.heading4, tags.heading5, tags.heading6], class: 'md-h3' },
  { tag: tags.strong, class: 'md-strong' },
  { tag: tags.emphasis, class: 'md-emphasis' },
  { tag: tags.strikethrough, class: 'md-strike' },
  { tag: tags.monospace, class: 'md-code' },
  { tag: tags.link, class: 'md-link' },
  { tag: tags.url, class: 'md-url' },
  { tag: tags.quote, class: 'md-quote' },
  { tag: tags.atom, class: 'md-task' },
  { tag: [tags.processingInstruction, tags.contentSeparator, tags.labelName], class: 'md-mark' },
]);

const ITEM = /^(\s*)(?:([-*+])|(\d{1,9})([.)]))(\s+)(\[[ xX]\]\s+)?/;

/** Enter in a list begins the next item; in an empty item it ends the list. */
function continueList({ state, dispatch }) {
  const { main } = state.selection;
  const line = state.doc.lineAt(main.head);
  const item = ITEM.exec(line.text);
  if (!main.empty || item === null || main.head < line.from + item[0].length) return false;
  if (item[0].length === line.text.length) {
    dispatch(state.update({ changes: { from: line.from, to: line.to }, userEvent: 'delete' }));
    return true;
  }
  const [, indent, bullet, number, mark, space, box] = item;
  const next = `${indent}${bullet ?? `${Number(number) + 1}${mark}`}${space}${box ? '[ ] ' : ''}`;
  dispatch(state.update(state.replaceSelection(`\n${next}`), { scrollIntoView: true, userEvent: 'input' }));
  return true;
}

/** Puts `mark` around the selection, or takes it away. */
function toggle(mark) {
  return ({ state, dispatch }) => {
    const change = state.changeByRange(({ from, to }) => {
      const [before, after] = [state.sliceDoc(from - mark.length, from), state.sliceDoc(to, to + mark.length)];
      if (before === mark && after === mark) {
        const changes = [
          { from: from - mark.length, to: from },
          { from: to, to: to + mark.length },
        ];
        return { changes, range: EditorSelection.range(from - mark.length, to - mark.length) };
      }
      const changes = [
        { from, insert: mark },
        { from: to, insert: mark },
      ];
      return { changes, range: EditorSelection.range(from + mark.length, to + mark.length) };
    });
    dispatch(state.update(change, { userEvent: 'input' }));
    return true;
  };
}

/** A click on `[ ]` ticks the box. */
const tickBoxes = EditorView.domEventHandlers({
  mousedown(event, view) {
    if (view.state.readOnly || event.button !== 0 || !event.target.closest('.md-task')) return false;
    const at = view.posAtDOM(event.target.closest('.md-task'));
    const box = view.state.sliceDoc(at, at + 3);
    if (!/^\[[ xX]\]$/.test(box)) return false;
    const insert = box === '[ ]' ? 'x' : ' ';
    view.dispatch({ changes: { from: at + 1, to: at + 2, insert }, userEvent: 'input' });
    event.preventDefault();
    return true;
  },
});

export const markdown = [
  language,
  syntaxHighlighting(styles),
  blocks,
  tickBoxes,
  keymap.of([
    { key: 'Enter', run: continueList },
    { key: 'Mod-b', run: toggle('**'), preventDefault: true },
    { key: 'Mod-i', run: toggle('*'), preventDefault: true },
    { key: 'Mod-`', run: toggle('`'), preventDefault: true },
  ]),
];
