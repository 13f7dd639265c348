//! What the toolbar does to Markdown: from a text and a selection to one change.
