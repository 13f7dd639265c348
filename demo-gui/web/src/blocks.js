// Blocks of Markdown that look like blocks: the lines of fenced code and of quotes.

import { syntaxTree } from '@codemirror/language';
import { RangeSetBuilder } from '@codemirror/state';
import { Decoration, ViewPlugin } from '@codemirror/view';

const CLASSES = { FencedCode: 'line-code', Blockquote: 'line-quote' };
const lines = Object.fromEntries(
  Object.entries(CLASSES).map(([node, name]) => [node, Decoration.line({ class: name })]),
);

/** A class for every visible line of such a block. */
function decorate(view) {
  const builder = new RangeSetBuilder();
  const { doc } = view.state;
  for (const { from, to } of view.visibleRanges) {
    let reached = -1;
    syntaxTree(view.state).iterate({
      from,
      to,
      enter(node) {
        const line = lines[node.name];
        if (line === undefined) return true;
        for (let at = Math.max(node.from, from); at <= Math.min(node.to, to);) {
          const { from: start, to: end } = doc.lineAt(at);
          if (start > reached) builder.add(start, start, line);
          reached = Math.max(reached, start);
          at = end + 1;
        }
        return false;
      },
    });
  }
  return builder.finish();
}

export const blocks = ViewPlugin.define(
  (view) => ({
    decorations: decorate(view),
    update(update) {
      const parsed = syntaxTree(update.startState) !== syntaxTree(update.state);
      if (update.docChanged || update.viewportChanged || parsed) this.decorations = decorate(update.view);
    },
  }),
  { decorations: (plugin) => plugin.decorations },
);
