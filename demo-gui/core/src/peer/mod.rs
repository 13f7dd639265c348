//! The window's side of one open note, without a window: its text, its undo, its carets, its input method.
//!
//! ```text
//! keyboard -> insert / delete / compose -> mirror + document -> outgoing() -> hub
//! hub -> receive() -> document -> edits of the mirror -> the window moves its caret by shift()
//! ```
//!
//! Offsets are bytes of [`Peer::text`], and nothing but a character boundary of it reaches the document. Time is passed
//! in: any monotonic count of milliseconds, the same for every call.

mod compose;
mod edit;
mod outbox;
mod people;
mod presence;
mod replica;

use std::borrow::Cow;
use std::ops::Range;

use compose::Composition;
pub use edit::{Edit, shift};
use outbox::Outbox;
use people::People;
pub use people::{Caret, Person, Thrown};
use presence::Own;
use replica::Replica;

use crate::wire::{ApplyError, AwarenessTable, MAX_TEXT, Message, User, WireError};
use crate::wire::{decode_all, decode_state_vector};

/// A paste goes out in pieces of this size, so that each fits an update; it is one undo step all the same.
const PIECE: usize = 512 << 10;

/// One open note.
pub struct Peer {
    mirror: String,
    replica: Replica,
    outbox: Outbox,
    composition: Option<Composition>,
    table: AwarenessTable,
    people: People,
    own: Own,
    now_ms: u64,
    /// Where the last letter was typed or taken: the next one belongs to the same undo step.
    typed_at: Option<usize>,
    /// Nothing is changed here.
    read_only: bool,
}

impl Peer {
    /// A note of which nothing is known yet: the hub will send it. The first frame out asks for it.
    pub fn new(me: User) -> Peer {
        Peer::with_client(me, random_client())
    }

    /// The same with a client identifier of one's own choice, which nobody else may have.
    pub fn with_client(me: User, client: u64) -> Peer {
        let mut outbox = Outbox::default();
        outbox.ask();
        Peer {
            mirror: String::new(),
            replica: Replica::new(client, 0),
            outbox,
            composition: None,
            table: AwarenessTable::new(),
            people: People::default(),
            own: Own::new(me),
            now_ms: 0,
            typed_at: None,
            read_only: false,
        }
    }

    /// Our identifier in the note.
    pub fn client(&self) -> u64 {
        self.replica.client()
    }

    /// Takes no change made here any more, or again; those of others come as before. An input method that is at work is
    /// to be cancelled first.
    pub fn set_read_only(&mut self, read_only: bool) {
        self.read_only = read_only;
    }

    /// It takes no change made here.
    pub fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// The text, the letters of an input method included.
    pub fn text(&self) -> &str {
        &self.mirror
    }

    /// Puts a text in. Returns how many bytes it took: none when the offset is no character boundary or the note is
    /// full, fewer than given where the line ends were those of Windows (browser editors count them otherwise).
    pub fn insert(&mut self, at: usize, text: &str) -> usize {
        self.replace_with(at..at, text, false).unwrap_or(0)
    }

    /// Takes a range out. False, and nothing done, when it is none of the text.
    pub fn delete(&mut self, range: Range<usize>) -> bool {
        self.replace_with(range, "", false).is_some()
    }

    /// Puts a text in the place of a range, an undo step of its own. Returns as [`insert`](Self::insert) does.
    pub fn replace(&mut self, range: Range<usize>, text: &str) -> usize {
        self.replace_with(range, text, true).unwrap_or(0)
    }

    /// Puts another text in the place of the whole, as the smallest change, an undo step of its own.
    pub fn replace_all(&mut self, text: &str) {
        let text = unix_lines(text);
        if let Some(Edit { at, removed, inserted }) = edit::difference(&self.mirror, &text) {
            self.replace(at..at + removed, &inserted);
        }
    }

    /// None when nothing was done.
    fn replace_with(&mut self, range: Range<usize>, text: &str, own_step: bool) -> Option<usize> {
        let text = unix_lines(text);
        let removed = self.mirror.get(range.clone())?.len();
        if self.read_only
            || removed == 0 && text.is_empty()
            || self.mirror.len() - removed + text.len() > MAX_TEXT.max(self.mirror.len())
        {
            return None;
        }
        if let Some(composition) = &mut self.composition {
            composition.record(range.start, removed, text.len());
            self.mirror.replace_range(range, &text);
            return Some(text.len());
        }
        self.separate_undo(&range, &text, own_step);
        self.write(Edit { at: range.start, removed, inserted: text.clone().into_owned() }, true);
        Some(text.len())
    }

    /// Typing on is one undo step, a jump, a line, a paste begins another.
    fn separate_undo(&mut self, range: &Range<usize>, text: &str, own_step: bool) {
        let mut letters = text.chars();
        let typed = match (range.len(), letters.next(), letters.next()) {
            (0, Some(letter), None) if letter != '\n' => Some(range.start + text.len()),
            (1..=4, None, None) => Some(range.start),
            _ => None,
        };
        let goes_on =
            typed.is_some() && (self.typed_at == Some(range.start) || self.typed_at == Some(range.end));
        if own_step || !goes_on {
            self.replica.end_undo_step();
        }
        self.typed_at = if own_step { None } else { typed };
    }

    /// One change made here, into the document and, where it is not there yet, the mirror.
    fn write(&mut self, edit: Edit, into_mirror: bool) {
        let Edit { at, removed, inserted } = &edit;
        let mut rest = inserted.as_str();
        let (mut to, mut out) = (*at, *removed);
        loop {
            let piece = &rest[..rest.floor_char_boundary(PIECE)];
            self.replica.replace(to, out, piece);
            (to, out, rest) = (to + piece.len(), 0, &rest[piece.len()..]);
            if rest.is_empty() {
                break;
            }
        }
        if into_mirror {
            self.mirror.replace_range(edit.range(), inserted);
        }
        self.people.carry(std::slice::from_ref(&edit));
        self.sent();
        // It has nothing to give but in a text that holds other things than text.
        let mended = self.replica.take_edits(&mut self.mirror);
        self.people.carry(&mended);
    }

    /// Something was done here: it goes to the outbox.
    fn sent(&mut self) {
        let changes = self.replica.take_changes();
        self.outbox.push(changes, &self.replica);
        self.own.touch();
    }

    /// An input method begins: from now on edits change only the mirror, and the changes of others wait.
    pub fn compose_begin(&mut self) {
        if self.composition.is_none() && !self.read_only {
            self.composition = Some(Composition::new(&self.mirror));
        }
    }

    /// An input method is at work.
    pub fn is_composing(&self) -> bool {
        self.composition.is_some()
    }

    /// What the input method has made of the text is taken over, as one change; then come the changes that have
    /// waited, which are returned.
    pub fn compose_commit(&mut self) -> Vec<Edit> {
        let Some(composition) = self.composition.take() else { return Vec::new() };
        if let Some(edit) = composition.committed(&self.mirror) {
            self.replica.end_undo_step();
            self.typed_at = None;
            self.write(edit, false);
            self.replica.end_undo_step();
        }
        self.catch_up(composition)
    }

    /// The input method gives up: the text is again as it was, and nothing is sent. Returned is what undoes its
    /// letters, then the changes that have waited.
    pub fn compose_cancel(&mut self) -> Vec<Edit> {
        let Some(composition) = self.composition.take() else { return Vec::new() };
        let mut edits: Vec<Edit> = composition.cancelled(&self.mirror).into_iter().collect();
        edit::apply_all(&mut self.mirror, &edits);
        edits.extend(self.catch_up(composition));
        edits
    }

    fn catch_up(&mut self, composition: Composition) -> Vec<Edit> {
        let mut edits = Vec::new();
        for update in &composition.waiting {
            // It was the hub's; one that is refused is asked for again with the rest.
            match self.apply(update) {
                Ok(more) => edits.extend(more),
                Err(_) => self.outbox.ask(),
            }
        }
        if composition.dropped {
            self.outbox.ask();
        }
        edits
    }

    /// Takes back our own last step, whatever others have done since. Empty when there is none.
    pub fn undo(&mut self) -> Vec<Edit> {
        self.step_back(Replica::undo)
    }

    /// Takes back an [`undo`](Self::undo).
    pub fn redo(&mut self) -> Vec<Edit> {
        self.step_back(Replica::redo)
    }

    fn step_back(&mut self, step: fn(&mut Replica) -> bool) -> Vec<Edit> {
        if self.read_only || self.composition.is_some() || !step(&mut self.replica) {
            return Vec::new();
        }
        self.typed_at = None;
        let edits = self.replica.take_edits(&mut self.mirror);
        self.people.carry(&edits);
        self.own.carry(&edits);
        self.sent();
        edits
    }

    /// There is something to take back.
    pub fn can_undo(&self) -> bool {
        self.replica.can_undo()
    }

    /// There is something to take back of what was taken back.
    pub fn can_redo(&self) -> bool {
        self.replica.can_redo()
    }

    /// One frame of the hub. Returns what others have changed in the text, in order.
    pub fn receive(&mut self, frame: &[u8], now_ms: u64) -> Result<Vec<Edit>, WireError> {
        self.set_clock(now_ms);
        let mut edits = Vec::new();
        for message in decode_all(frame)? {
            match message {
                Message::SyncStep1(vector) => {
                    self.outbox.answer(decode_state_vector(vector)?, &self.replica);
                    self.own.renew();
                }
                Message::SyncStep2(update) | Message::Update(update) => match &mut self.composition {
                    Some(composition) => composition.wait(update),
                    None => edits.extend(self.apply(update)?),
                },
                Message::Awareness(entries) => self.hear(&entries)?,
                Message::QueryAwareness => self.own.renew(),
                // The hub tells what we may.
                Message::Auth(_) => {}
            }
        }
        Ok(edits)
    }

    fn apply(&mut self, update: &[u8]) -> Result<Vec<Edit>, WireError> {
        let applied = self.replica.apply(update);
        if applied == Err(ApplyError::Broken) {
            return Ok(self.start_over());
        }
        let edits = self.replica.take_edits(&mut self.mirror);
        self.people.carry(&edits);
        self.own.carry(&edits);
        self.people.resolve_again(&self.replica);
        if let Some(at) = self.typed_at {
            self.typed_at = Some(shift(at, &edits));
        }
        if self.replica.take_usurped() {
            self.change_client();
        }
        match applied {
            Err(ApplyError::Invalid(error)) => Err(error),
            _ => Ok(edits),
        }
    }

    fn set_clock(&mut self, now_ms: u64) {
        self.now_ms = self.now_ms.max(now_ms);
        self.replica.set_clock(self.now_ms);
    }
}

/// Yjs' own range; the document's library would take one of 53 bits.
fn random_client() -> u64 {
    loop {
        // The window could not have been opened without a random source; an error here is not to be had.
        let id = getrandom::u32().unwrap_or_else(|error| panic!("no random source: {error}"));
        if id != 0 {
            return u64::from(id);
        }
    }
}

fn unix_lines(text: &str) -> Cow<'_, str> {
    if text.contains('\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(text)
    }
}
