//! The hub's loop: wait, take in, work a little, see to what is due.
//!
//! The work of one turn is bounded: the messages of one room, for a few milliseconds, one connection after the other.
//! So a room that is flooded delays the others by no more than that.

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crossbeam_channel::{Receiver, Select, unbounded};
use ws::Conn;

use super::guests::Client;
use super::list::List;
use super::room::Room;
use super::saving::Pace;
use super::search::Search;
use super::upstream::Upstream;
use super::window::Window;
use super::{Extras, HubOptions};
use crate::link::{Command, Event, Failure, NoteId, Status};
use crate::net::Net;
use crate::net::listening::Network;
use crate::store::StoreError;
use crate::store::db::Store;
use crate::store::writer::{Answer, Writer};

/// Commands of the window that are done before the network's turn comes.
const COMMANDS_A_TURN: usize = 256;

/// Notices of the network that are taken in at one time: most are only queued.
const NOTICES_A_TURN: usize = 1024;

/// What the turns have cost: tests see to it that none is long.
#[derive(Debug, Default)]
pub struct Turns {
    count: AtomicU64,
    longest_us: AtomicU64,
}

impl Turns {
    /// How many there were.
    pub fn count(&self) -> u64 {
        self.count.load(Relaxed)
    }

    /// The CPU time of the longest, in microseconds.
    pub fn longest_us(&self) -> u64 {
        self.longest_us.load(Relaxed)
    }

    /// Forgets the longest.
    pub fn reset(&self) {
        self.longest_us.store(0, Relaxed);
    }
}

/// The hub, as its thread has it.
pub struct Running {
    pub(super) store: Arc<Store>,
    /// None while the program ends: dropping it waits for the disk.
    pub(super) writer: Option<Writer>,
    pub(super) answers: Receiver<Answer>,
    commands: Receiver<Command>,
    stopped: Receiver<()>,
    pub(super) net: Receiver<Net>,
    pub(super) network: Network,
    pub(super) window: Window,
    pub(super) list: List,
    pub(super) rooms: HashMap<NoteId, Room>,
    pub(super) clients: HashMap<Conn, Client>,
    pub(super) upstreams: HashMap<NoteId, Upstream>,
    /// By which listener a note is shared, and at which address.
    pub(super) doors: HashMap<NoteId, (u32, std::net::SocketAddr)>,
    /// Rooms with work, in the order of their turns.
    pub(super) ready: VecDeque<NoteId>,
    pub(super) pace: Pace,
    pub(super) search: Option<Search>,
    /// What the window was told last of a note: its status, and whether it may only be read.
    pub(super) told: HashMap<NoteId, (Status, bool)>,
    turns: Arc<Turns>,
    start: Instant,
    ending: bool,
}

impl Running {
    /// Opens the store and everything around it.
    pub fn open(
        options: HubOptions,
        extras: Extras,
        commands: Receiver<Command>,
        stopped: Receiver<()>,
        turns: Arc<Turns>,
    ) -> Result<(Running, Receiver<Event>), String> {
        std::fs::create_dir_all(&options.data)
            .map_err(|error| format!("{}: {error}", options.data.display()))?;
        let (store, set_aside) =
            open_store(&options.data.join("notes.redb")).map_err(|error| error.to_string())?;
        let store = Arc::new(store);
        let folder = options.markdown.unwrap_or_else(|| options.data.join("notes"));
        let list = List::read(&store).map_err(|error| error.to_string())?;
        let writer = Writer::start(store.clone(), folder, |_| {}).map_err(|error| error.to_string())?;
        let (net_sender, net) = unbounded();
        let (window, events) = Window::new(options.wake);
        let mut hub = Running {
            answers: writer.answers.clone(),
            writer: Some(writer),
            store,
            commands,
            stopped,
            net,
            network: Network::new(net_sender, options.port, extras.hosts),
            window,
            list,
            rooms: HashMap::new(),
            clients: HashMap::new(),
            upstreams: HashMap::new(),
            doors: HashMap::new(),
            ready: VecDeque::new(),
            pace: Pace::default(),
            search: None,
            told: HashMap::new(),
            turns,
            start: Instant::now(),
            ending: false,
        };
        if let Some(path) = set_aside {
            hub.window.tell(Event::Failed(Failure::SetAside(path)));
        }
        hub.begin(extras.no_welcome);
        Ok((hub, events))
    }

    /// What the last run has left, and the first note.
    fn begin(&mut self, no_welcome: bool) {
        self.purge_deleted();
        // Files that are nobody's are notes too: so a store that was set aside comes back.
        while let Ok(answer) = self.answers.try_recv() {
            self.answered(answer);
        }
        self.settle_leftovers();
        if self.list.is_empty() && !no_welcome {
            self.create(crate::share::new_note_id(), include_str!("welcome.md"));
        }
        for (note, link) in self.list.joined() {
            self.connect(&note, &link);
        }
        self.list.changed();
    }

    /// Milliseconds since the hub was started.
    pub(super) fn now_ms(&self) -> u64 {
        self.start.elapsed().as_millis() as u64
    }

    /// Runs until it is told to end.
    pub fn run(mut self) {
        self.after_turn();
        while !self.ending {
            self.wait();
            let before = cpu_us();
            self.take_in();
            self.work();
            self.after_turn();
            self.turns.count.fetch_add(1, Relaxed);
            self.turns.longest_us.fetch_max(cpu_us().saturating_sub(before), Relaxed);
        }
        self.shut_down();
    }

    fn wait(&mut self) {
        let wait = self.until_due();
        if wait == Some(Duration::ZERO) {
            return;
        }
        let mut select = Select::new();
        select.recv(&self.stopped);
        select.recv(&self.commands);
        select.recv(&self.net);
        select.recv(&self.answers);
        match wait {
            // Woken or not: what there is, is looked for.
            Some(wait) => drop(select.ready_timeout(wait)),
            None => drop(select.ready()),
        }
    }

    fn until_due(&self) -> Option<Duration> {
        if !self.ready.is_empty() || self.search.is_some() {
            return Some(Duration::ZERO);
        }
        let now = self.now_ms();
        let due = [
            self.saving_due_ms(),
            self.list.due_ms(),
            self.presence_due_ms(),
            self.upstreams_due_ms(),
            self.guests_due_ms(),
            self.window.is_late().then_some(now + 20),
        ];
        due.into_iter().flatten().min().map(|due| Duration::from_millis(due.saturating_sub(now)))
    }

    fn take_in(&mut self) {
        use crossbeam_channel::TryRecvError::Disconnected;
        self.ending |= self.stopped.try_recv() == Err(Disconnected);
        for _ in 0..COMMANDS_A_TURN {
            match self.commands.try_recv() {
                Ok(Command::Shutdown) => {
                    self.ending = true;
                    break;
                }
                Ok(command) => self.command(command),
                Err(error) => {
                    self.ending |= error == Disconnected;
                    break;
                }
            }
        }
        for _ in 0..NOTICES_A_TURN {
            let Ok(notice) = self.net.try_recv() else { break };
            self.notice(notice);
        }
        while let Ok(answer) = self.answers.try_recv() {
            self.answered(answer);
        }
    }

    /// One room's messages, and a little of a search.
    fn work(&mut self) {
        if let Some(note) = self.ready.pop_front() {
            self.work_in(&note);
        }
        self.search_a_little();
    }

    fn after_turn(&mut self) {
        let now = self.now_ms();
        self.release_delayed(now);
        self.expire_presence(now);
        self.tend_upstreams(now);
        self.catch_up();
        self.save(now);
        self.tell_list(now);
        self.tell_states();
        self.window.flush();
    }

    fn shut_down(mut self) {
        self.save_all();
        // Everybody hears that we go, and nobody's messages come any more.
        self.network.close();
        drop(self.writer.take());
        while let Ok(answer) = self.answers.try_recv() {
            self.answered(answer);
        }
        self.window.flush();
        if self.pace.purged {
            // If it fails, the space of purged notes is only not given back.
            let _ = self.store.compact();
        }
    }
}

/// The CPU time of this thread.
fn cpu_us() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000 + time.tv_nsec as u64 / 1_000
}

/// Milliseconds since 1970.
pub(super) fn wall_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64
}

/// A damaged store is set aside under another name, and an empty one takes its place.
fn open_store(path: &std::path::Path) -> Result<(Store, Option<PathBuf>), StoreError> {
    match Store::open(path) {
        Ok(store) => Ok((store, None)),
        Err(StoreError::Damaged(_)) => {
            let aside = path.with_file_name(format!("notes.damaged-{}.redb", wall_ms()));
            std::fs::rename(path, &aside)
                .map_err(|error| StoreError::Io(format!("{}: {error}", path.display())))?;
            Ok((Store::open(path)?, Some(aside)))
        }
        Err(error) => Err(error),
    }
}
