//! What goes to the window. Its channel is bounded and the hub never waits: what does not fit is made up for later.

use std::collections::{HashSet, VecDeque};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use crate::link::{Event, NoteId};

/// Events that may wait for the window.
const CAPACITY: usize = 4096;

/// Is called after events were put into the channel.
pub type Wake = Box<dyn Fn() + Send + Sync>;

/// The hub's end of the channel.
pub struct Window {
    events: Sender<Event>,
    wake: Wake,
    /// Events since the last wake.
    news: bool,
    /// The notes that it shows.
    open: HashSet<NoteId>,
    /// Those of them of which it has missed frames.
    behind: HashSet<NoteId>,
    /// Answers that found no room; frames are not among them.
    waiting: VecDeque<Event>,
}

impl Window {
    /// Both ends.
    pub fn new(wake: Wake) -> (Window, Receiver<Event>) {
        let (events, receiver) = bounded(CAPACITY);
        let window = Window {
            events,
            wake,
            news: false,
            open: HashSet::new(),
            behind: HashSet::new(),
            waiting: VecDeque::new(),
        };
        (window, receiver)
    }

    /// It shows a note. False: it did already.
    pub fn open(&mut self, note: &NoteId) -> bool {
        self.behind.remove(note);
        self.open.insert(note.clone())
    }

    /// It shows it no longer.
    pub fn close(&mut self, note: &NoteId) {
        self.open.remove(note);
        self.behind.remove(note);
    }

    /// Whether it shows a note.
    pub fn shows(&self, note: &NoteId) -> bool {
        self.open.contains(note)
    }

    /// The notes that it shows.
    pub fn shown(&self) -> Vec<NoteId> {
        self.open.iter().cloned().collect()
    }

    /// Tells something that must not be lost.
    pub fn tell(&mut self, event: Event) {
        // Of what tells a state, the newest is enough; so a window that sleeps does not fill the memory.
        self.waiting.retain(|waiting| !is_newer(&event, waiting));
        self.waiting.push_back(event);
        self.send_waiting();
    }

    fn send_waiting(&mut self) {
        while let Some(event) = self.waiting.pop_front() {
            if let Err(event) = self.put(event) {
                self.waiting.push_front(event);
                return;
            }
        }
    }

    fn put(&mut self, event: Event) -> Result<(), Event> {
        match self.events.try_send(event) {
            Ok(()) => {
                self.news = true;
                Ok(())
            }
            Err(TrySendError::Full(event)) => Err(event),
            // Nobody listens: a host without a window.
            Err(TrySendError::Disconnected(_)) => Ok(()),
        }
    }

    /// A frame of a note that it shows. One that finds no room is dropped, and the note is behind.
    pub fn frame(&mut self, note: &NoteId, frame: &[u8]) {
        if !self.open.contains(note) || self.behind.contains(note) {
            return;
        }
        let full = !self.waiting.is_empty() || self.put(Event::Frame(note.clone(), frame.to_vec())).is_err();
        if full {
            self.behind.insert(note.clone());
        }
    }

    /// The notes that are behind, once the channel has room again; each needs its whole state.
    pub fn take_behind(&mut self) -> Vec<NoteId> {
        self.send_waiting();
        if self.behind.is_empty() || self.events.len() > CAPACITY / 2 {
            return Vec::new();
        }
        self.behind.drain().collect()
    }

    /// Whether something waits for room in the channel.
    pub fn is_late(&self) -> bool {
        !self.behind.is_empty() || !self.waiting.is_empty()
    }

    /// Wakes the window, once for all that was put into the channel.
    pub fn flush(&mut self) {
        if std::mem::take(&mut self.news) {
            (self.wake)();
        }
    }
}

/// Whether `event` makes an older one superfluous.
fn is_newer(event: &Event, older: &Event) -> bool {
    match (event, older) {
        (Event::Notes(_), Event::Notes(_)) => true,
        (Event::Status(note, _), Event::Status(other, _))
        | (Event::ReadOnly(note, _), Event::ReadOnly(other, _))
        | (Event::Saved(note), Event::Saved(other)) => note == other,
        (Event::Failed(failure), Event::Failed(other)) => failure == other,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::Status;

    #[test]
    fn a_full_channel_keeps_answers_and_drops_frames() {
        let (mut window, events) = Window::new(Box::new(|| {}));
        let note = NoteId("n".into());
        window.open(&note);
        (0..CAPACITY).for_each(|_| window.frame(&note, b"x"));
        assert!(!window.is_late());
        window.frame(&note, b"lost");
        window.tell(Event::Joined(note.clone()));
        for _ in 0..1_000 {
            window.tell(Event::Notes(Vec::new()));
            window.tell(Event::Status(note.clone(), Status::Device));
        }
        assert_eq!(window.waiting.len(), 3);
        assert_eq!(window.take_behind(), [], "there is no room yet");
        while events.len() > CAPACITY / 4 {
            assert!(matches!(events.recv(), Ok(Event::Frame(..))));
        }
        assert_eq!(window.take_behind(), std::slice::from_ref(&note));
        assert!(!window.is_late());
        window.frame(&note, b"all");
        let told: Vec<Event> = events.try_iter().skip(CAPACITY / 4).collect();
        assert!(
            matches!(&told[..], [Event::Joined(_), Event::Notes(_), Event::Status(..), Event::Frame(..)]),
            "{told:?}"
        );
    }
}
