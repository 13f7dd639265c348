// The text of one session in CodeMirror.

import { defaultKeymap, indentWithTab } from '@codemirror/commands';
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search';
import { EditorState } from '@codemirror/state';
import { EditorView, drawSelection, highlightSpecialChars, keymap, placeholder } from '@codemirror/view';
import { yCollab, yUndoManagerKeymap } from 'y-codemirror.next';
import * as Y from 'yjs';
import { carets } from './carets.js';
import { markdown } from './markdown.js';
import { words } from './words.js';

/** Typing without a pause of this length is one step of undo. */
const UNDO_STEP_MS = 500;
/** CodeMirror takes over the last letters of an input method so long after its end. */
const COMPOSED_MS = 100;

/** What an input method makes is one step of undo, however long it takes: nobody wants the letters of pinyin back. */
function composeAsOneStep(undoManager) {
  let timer;
  return EditorView.domEventHandlers({
    compositionstart() {
      clearTimeout(timer);
      undoManager.stopCapturing();
      undoManager.captureTimeout = Infinity;
    },
    compositionend() {
      timer = setTimeout(() => {
        undoManager.captureTimeout = UNDO_STEP_MS;
        undoManager.stopCapturing();
      }, COMPOSED_MS);
    },
  });
}

/** A view of `session.text` in `parent`; `onUpdate` hears of every change of text and selection. */
export function openEditor(parent, session, { readOnly, onUpdate }) {
  const undoManager = new Y.UndoManager(session.text, { captureTimeout: UNDO_STEP_MS });
  const state = EditorState.create({
    doc: session.text.toString(),
    extensions: [
      // One character per line end: with CodeMirror's own guess a CR LF would count one here and two in Y.Text.
      EditorState.lineSeparator.of('\n'),
      EditorView.clipboardInputFilter.of((text) => text.replace(/\r\n?/g, '\n')),
      EditorState.readOnly.of(readOnly),
      EditorView.editable.of(!readOnly),
      EditorView.contentAttributes.of({
        'aria-label': words.editor,
        spellcheck: 'true',
        autocorrect: 'on',
        autocapitalize: 'sentences',
      }),
      EditorView.lineWrapping,
      highlightSpecialChars(),
      drawSelection(),
      placeholder(readOnly ? '' : words.placeholder),
      markdown,
      EditorState.phrases.of(words.search),
      search({ top: true }),
      highlightSelectionMatches(),
      yCollab(session.text, null, { undoManager }),
      composeAsOneStep(undoManager),
      carets(session),
      keymap.of([...yUndoManagerKeymap, indentWithTab, ...searchKeymap, ...defaultKeymap]),
      EditorView.updateListener.of(onUpdate),
    ],
  });
  return new EditorView({ state, parent });
}
