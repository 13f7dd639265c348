//! What the window's side and the hub say to each other, through two bounded channels.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

/// A note's name in this process and in the path of its URL: 26 characters of `a-z2-7` for notes made here (130
/// random bits).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NoteId(pub String);

impl fmt::Display for NoteId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// What the window asks for. The hub answers with [`Event`]s.
#[derive(Clone, Debug)]
pub enum Command {
    /// A new note, empty or imported; it appears in [`Event::Notes`].
    Create {
        /// Chosen by the window, so that it can show the note at once.
        note: NoteId,
        /// The first text: one insertion.
        text: String,
    },
    /// The window shows a note: the hub sends the first step of the sync, and frames from now on.
    Open(NoteId),
    /// It shows it no longer.
    Close(NoteId),
    /// One message of the y-websocket protocol: sync or awareness.
    Frame(NoteId, Vec<u8>),
    /// Keeps it at the top of the list.
    Pin(NoteId, bool),
    /// Takes it out of the list; the store keeps it until the program ends, for [`Command::Restore`].
    Delete(NoteId),
    /// Undoes a [`Command::Delete`].
    Restore(NoteId),
    /// Opens a note to others; answered with [`Event::Shared`] or [`Event::Failed`]. Nothing listens before the first.
    Share {
        /// Which note.
        note: NoteId,
        /// Where to listen; None: every interface, the port of the settings, or any free one.
        listen: Option<SocketAddr>,
    },
    /// Ends the sharing of a note: everybody's connection to it is closed, its links are void.
    Unshare(NoteId),
    /// Joins a note by its link; answered with [`Event::Joined`] or [`Event::Failed`].
    Join {
        /// `http://host:port/#…` of another app, or `ws://host:port/room` of any y-websocket server.
        link: String,
    },
    /// Forgets the host of a joined note; the text stays, as a private note.
    Leave(NoteId),
    /// Looks for a text in every note; answered with [`Event::Found`].
    Search {
        /// Returned with the answer, so that late answers are recognised.
        id: u64,
        /// Case-folded, any script.
        query: String,
    },
    /// Writes everything to disk and ends the hub. Dropping the handle does the same.
    Shutdown,
}

/// What the hub tells the window.
#[derive(Clone, Debug)]
pub enum Event {
    /// The whole list, whenever something in it has changed: pinned first, then the newest.
    Notes(Vec<NoteSummary>),
    /// One message of the y-websocket protocol.
    Frame(NoteId, Vec<u8>),
    /// The state of an open note, when it changes.
    Status(NoteId, Status),
    /// Whether the host lets us only read an open note, when that changes. Until it is told, we may write.
    ReadOnly(NoteId, bool),
    /// All that was typed so far is on disk.
    Saved(NoteId),
    /// The links of a shared note.
    Shared(NoteId, ShareCard),
    /// A note was joined and is in the list under this name.
    Joined(NoteId),
    /// Where a searched text was found, at most 200 places.
    Found {
        /// Of the [`Command::Search`].
        id: u64,
        /// In the order of the list.
        hits: Vec<Hit>,
    },
    /// A command failed.
    Failed(Failure),
}

/// A line of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSummary {
    /// Its name.
    pub note: NoteId,
    /// Its first line that is not blank, without Markdown marks; may be empty.
    pub title: String,
    /// At the top of the list.
    pub pinned: bool,
    /// Where it lives.
    pub place: Place,
    /// The last change, in milliseconds since 1970.
    pub modified_ms: u64,
    /// Others who have it open, not counting us.
    pub people: u32,
}

/// Where a note lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Only here.
    Device,
    /// Here, and others may join.
    Hosted,
    /// On another host that we joined.
    Joined,
}

/// The state of an open note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// Not shared.
    Device,
    /// Others may join at this port.
    Hosting {
        /// The TCP port.
        port: u16,
    },
    /// Joined and in step with the host.
    Live {
        /// Of the heartbeat, in milliseconds, once it is known.
        round_trip_ms: Option<u32>,
    },
    /// The host is away; typing goes on and nothing is lost.
    Reconnecting {
        /// Until the next attempt, in milliseconds, counted from this event.
        in_ms: u64,
        /// Changes made meanwhile.
        kept: u32,
        /// Why: "HTTP 503", "connection refused".
        cause: String,
    },
    /// The host does not want us: there will be no further attempt.
    Refused(Refusal),
}

/// Why a host refuses, by its close code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// 4401 or HTTP 401: the link is no longer valid.
    Unauthorised,
    /// 4403 or HTTP 403: read-only, or forbidden.
    Forbidden,
    /// 4404 or HTTP 404: there is no such note.
    NotFound,
    /// 1009: the note or a change of it is too big for the host.
    TooBig,
    /// Any other code.
    Other(u16),
}

/// How others reach a note. Until the library speaks TLS nothing of it is encrypted, and the card says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareCard {
    /// Who has it may edit; a page for browsers and a link for the app.
    pub edit: String,
    /// Who has it may read.
    pub read: String,
    /// Where we listen.
    pub address: SocketAddr,
}

/// One place where a text was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// In which note.
    pub note: NoteId,
    /// Byte range in the note's text.
    pub range: std::ops::Range<usize>,
    /// The line around it, cut to some 80 characters.
    pub line: String,
    /// Byte range of the found text in `line`.
    pub in_line: std::ops::Range<usize>,
}

/// Why a command failed, with what the system or the peer said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Listening failed: "bind 0.0.0.0:8765: Address in use".
    Listen(String),
    /// The link is not one.
    Link(String),
    /// There is no such note.
    NoSuchNote(NoteId),
    /// The disk refuses; what is typed is kept in memory, and writing is tried again.
    Store(String),
    /// The store was damaged and set aside at this path; the `.md` files were read in again.
    SetAside(PathBuf),
}
