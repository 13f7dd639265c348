//! The hub: one thread that holds the notes, stores them and passes on what changes, between the window, the guests of
//! shared notes and the hosts of joined ones.

mod commands;
mod document;
mod guests;
mod list;
mod messages;
mod presence;
mod room;
mod saving;
mod search;
mod sharing;
mod turn;
mod upstream;
mod window;

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::link::{Command, Event};
pub use turn::Turns;
pub use window::Wake;

/// Commands that may wait for the hub.
const COMMANDS: usize = 1024;

/// How a hub is made.
pub struct HubOptions {
    /// The folder of everything; made if it is not there.
    pub data: PathBuf,
    /// The folder of the `.md` files; None: `notes` in `data`.
    pub markdown: Option<PathBuf>,
    /// The port for sharing; 0 is any free one. Nothing listens before the first share.
    pub port: u16,
    /// Called after events were put into the channel.
    pub wake: Wake,
}

/// The running hub. Dropping it writes everything to disk and ends it.
pub struct HubHandle {
    /// What the window asks for.
    pub commands: Sender<Command>,
    /// What it is told.
    pub events: Receiver<Event>,
    turns: Arc<Turns>,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What the window's hub and the host without a window do differently.
#[derive(Default)]
pub(crate) struct Extras {
    /// An empty store stays empty.
    pub no_welcome: bool,
    /// Further names of this computer that Host may have.
    pub hosts: Vec<String>,
}

/// Makes hubs.
pub struct Hub;

impl Hub {
    /// Starts a hub.
    ///
    /// # Errors
    /// A sentence: the folder cannot be used, or another process uses it.
    pub fn start(options: HubOptions) -> Result<HubHandle, String> {
        Hub::start_with(options, Extras::default())
    }

    pub(crate) fn start_with(options: HubOptions, extras: Extras) -> Result<HubHandle, String> {
        let (commands, command_inbox) = bounded(COMMANDS);
        let (stop, stopped) = bounded(0);
        let turns = Arc::new(Turns::default());
        let (hub, events) = turn::Running::open(options, extras, command_inbox, stopped, turns.clone())?;
        let thread = thread::Builder::new().name("notes-hub".into()).spawn(move || hub.run());
        let thread = thread.map_err(|error| format!("starting a thread: {error}"))?;
        Ok(HubHandle { commands, events, turns, stop: Some(stop), thread: Some(thread) })
    }
}

impl HubHandle {
    /// What the hub's turns have cost so far.
    pub fn turns(&self) -> &Turns {
        &self.turns
    }
}

impl Drop for HubHandle {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic in it was reported by the runtime; there is nothing to pass on.
            let _ = thread.join();
        }
    }
}
