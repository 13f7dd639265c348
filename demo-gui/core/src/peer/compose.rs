//! An input method at work: its letters are in the mirror only, until they are committed.

use super::edit::Edit;

/// The most bytes of remote changes that wait; beyond it they are dropped and asked for again.
const MAX_WAITING: usize = 4 << 20;

/// What has become of one stretch of the text since the input method began.
pub(super) struct Composition {
    /// The text as it was, the same as the document's.
    pub(super) before: String,
    /// Where the stretch begins, before and now.
    start: usize,
    old_end: usize,
    new_end: usize,
    touched: bool,
    /// Changes of others, which wait.
    pub(super) waiting: Vec<Vec<u8>>,
    waiting_bytes: usize,
    /// Some had to be dropped.
    pub(super) dropped: bool,
}

impl Composition {
    pub(super) fn new(text: &str) -> Self {
        Composition {
            before: text.to_owned(),
            start: 0,
            old_end: 0,
            new_end: 0,
            touched: false,
            waiting: Vec::new(),
            waiting_bytes: 0,
            dropped: false,
        }
    }

    /// The mirror has changed so.
    pub(super) fn record(&mut self, at: usize, removed: usize, inserted: usize) {
        if !self.touched {
            (self.start, self.old_end, self.new_end, self.touched) = (at, at, at, true);
        }
        if at > self.new_end {
            self.old_end += at - self.new_end;
            self.new_end = at;
        }
        self.start = self.start.min(at);
        let end = at + removed;
        if end > self.new_end {
            self.old_end += end - self.new_end;
            self.new_end = end;
        }
        self.new_end = self.new_end - removed + inserted;
    }

    pub(super) fn wait(&mut self, update: &[u8]) {
        self.waiting_bytes += update.len();
        if self.waiting_bytes > MAX_WAITING {
            self.waiting = Vec::new();
            self.dropped = true;
        } else {
            self.waiting.push(update.to_owned());
        }
    }

    /// What the document must become: as an edit of the text as it was.
    pub(super) fn committed(&self, mirror: &str) -> Option<Edit> {
        let (old, new) = (&self.before[self.start..self.old_end], &mirror[self.start..self.new_end]);
        let edit = super::edit::difference(old, new)?;
        Some(Edit { at: edit.at + self.start, ..edit })
    }

    /// What brings the mirror back to the text as it was.
    pub(super) fn cancelled(&self, mirror: &str) -> Option<Edit> {
        let (old, new) = (&self.before[self.start..self.old_end], &mirror[self.start..self.new_end]);
        let edit = super::edit::difference(new, old)?;
        Some(Edit { at: edit.at + self.start, ..edit })
    }

    /// An offset in the mirror as one in the text as it was.
    pub(super) fn inward(&self, offset: usize) -> usize {
        if offset >= self.new_end { offset - self.new_end + self.old_end } else { offset.min(self.start) }
    }

    /// The other way round.
    pub(super) fn outward(&self, offset: usize) -> usize {
        if offset >= self.old_end && self.touched {
            offset - self.old_end + self.new_end
        } else if self.touched {
            offset.min(self.start)
        } else {
            offset
        }
    }
}
