//! A loop's own life: made, run, stopped, freed.

use std::collections::VecDeque;
use std::fs::File;
use std::os::fd::{BorrowedFd, RawFd};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::atomic::Ordering::SeqCst;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::core::{Core, NONE};
use super::cork::Cork;
use super::current::{self, with};
use super::deflate::Deflating;
use super::log::{Level, Log, Sink};
use super::notices::Forked;
use super::reply::reply;
use super::shared::{self, ENDING, Place, Post, STOP, Shared};
use super::topics::Topics;
use super::turn::{all_letters, settle, turn};
use crate::error::{Error, ErrorCode, Result};
use crate::event_loop::ids::{self, IdKind};
use crate::event_loop::mailbox::{Channel, Mailbox};
use crate::event_loop::poller::{Poller, Target};
use crate::event_loop::random::Random;
use crate::event_loop::slab::Slab;
use crate::event_loop::waker::{self, Waker};
use crate::event_loop::wheel::Wheel;

/// How a loop reports about itself.
pub struct LoopOptions {
    /// Gets the lines of the log; None: silence.
    pub log: Option<Sink>,
    /// Lines less important than this are not made.
    pub log_level: Level,
    /// Bytes that the compression of connections may hold: the compressors of those with context takeover, and what is
    /// remembered of their peers' messages. Beyond it connections go without.
    pub deflate_memory: u32,
}

impl Default for LoopOptions {
    fn default() -> LoopOptions {
        LoopOptions { log: None, log_level: Level::Warn, deflate_memory: 64 << 20 }
    }
}

/// Makes a loop; nobody runs it yet.
pub fn new(options: LoopOptions) -> Result<u64> {
    ids::watch_forks();
    let failed = |error| Error::io("making an event loop", &error);
    let poller = Poller::new().map_err(failed)?;
    let waker = Waker::new(poller.registry(), Target::Waker.token()).map_err(failed)?;
    // The waker's descriptor is kept where a signal handler finds it: see `stop`.
    let (id, entry) = ids::allocate(IdKind::Loop, 0, waker.raw_fd() as u32)
        .ok_or_else(|| Error::new(ErrorCode::NoMem, "no loop id is free"))?;
    let shared = Shared::new(id, entry, Mailbox::new(Channel::default(), waker));
    let core = Core {
        shared: shared.clone(),
        now_us: poller.now_us(),
        polled_ms: 0,
        woke_us: 0,
        left_over_us: 0,
        busy_us: 0,
        wheel: Wheel::new(poller.now_us() / 1000),
        poller,
        owners: Slab::default(),
        sockets: Slab::default(),
        timers: Slab::default(),
        topics: Topics::default(),
        random: Random::default(),
        log: Log::new(options.log, options.log_level),
        notices: VecDeque::new(),
        backlog: VecDeque::new(),
        ready: VecDeque::new(),
        dirty: Vec::new(),
        posted: Vec::new(),
        prepaid: 0,
        cork: Cork::new(),
        forks: ids::fork_generation(),
        corked: NONE,
        corks_replies: false,
        receive_buffer: Vec::new(),
        frames_left: 0,
        brought: Default::default(),
        shown: None,
        deflating: Deflating::new(options.deflate_memory),
        current_request: None,
        reset_text: String::new(),
        spare: File::open("/dev/null").ok(),
    };
    *shared.place() = Place::Parked(Box::new(core));
    shared::register(&shared);
    Ok(id)
}

/// How a thread runs the loop.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Run {
    /// Until a stop, or until nothing is left.
    UntilDeserted,
    /// Until a stop.
    Background,
    Once(Option<Duration>),
}

/// Runs the loop on this thread until [`stop`], or until no listener, connection, timer or post is left.
pub fn run(id: u64) -> Result<()> {
    drive(&take(id, false)?, Run::UntilDeserted)
}

/// Runs one turn; `timeout` None waits until something happens.
pub fn run_once(id: u64, timeout: Option<Duration>) -> Result<()> {
    drive(&take(id, false)?, Run::Once(timeout))
}

/// Runs the loop on a thread of its own until [`stop`] or [`free`].
pub fn start(id: u64) -> Result<()> {
    let shared = shared::find(id)?;
    if current::loop_id() == id {
        return Err(Error::state("the loop runs already"));
    }
    // Held until the thread runs the loop, so that two starts at one time see each other.
    let mut slot = shared.thread.lock().unwrap_or_else(PoisonError::into_inner);
    if matches!(*shared.place(), Place::Parked(_)) {
        join(slot.take());
    }
    if slot.is_some() {
        return Err(Error::state("the loop runs already"));
    }
    let (ready, started) = reply();
    let background = move || match take(id, true) {
        Ok(shared) => {
            // The starter waits for this.
            ready.give(Ok(()));
            if let Err(error) = drive(&shared, Run::Background) {
                log_later(id, &error);
            }
        }
        Err(error) => ready.give(Err(error)),
    };
    let thread = thread::Builder::new().name("libws".into()).spawn(background);
    let thread = thread.map_err(|error| Error::io("starting a thread", &error))?;
    match started.wait().and_then(|result| result) {
        Ok(()) => *slot = Some(thread),
        Err(error) => {
            join(Some(thread));
            let running = error.code == ErrorCode::Thread;
            return Err(if running { Error::state("the loop runs already") } else { error });
        }
    }
    Ok(())
}

fn log_later(id: u64, error: &Error) {
    let text = error.to_string();
    // If the loop is gone there is nobody to tell.
    let _ = shared::tell(id, move |core| core.log(Level::Error, format_args!("the loop stopped: {text}")));
}

fn join(thread: Option<JoinHandle<()>>) {
    if let Some(thread) = thread {
        // Its panics were contained; there is nothing to pass on.
        let _ = thread.join();
    }
}

/// Makes this thread the one that runs the loop.
fn take(id: u64, background: bool) -> Result<Arc<Shared>> {
    if current::loop_id() != 0 {
        // A dead id is GONE even here, and so is every id of the parent in a child forked inside a callback.
        ids::lookup(id, IdKind::Loop).ok_or(Error::gone())?;
        return Err(Error::state("not inside a callback"));
    }
    let shared = shared::find(id)?;
    {
        let mut place = shared.place();
        let running = Place::Running { background };
        match std::mem::replace(&mut *place, running) {
            Place::Parked(core) if !shared.is_ending() => current::enter(core),
            other => {
                let ended = !matches!(other, Place::Running { .. });
                *place = other;
                return Err(if ended {
                    Error::gone()
                } else {
                    Error::new(ErrorCode::Thread, "another thread runs the loop")
                });
            }
        }
    }
    Ok(shared)
}

/// Parks the loop again. What others asked in the meantime is answered first.
fn park(shared: &Shared) {
    let mut place = shared.place();
    let mut waiting = VecDeque::new();
    while let Some(post) = with(Core::next_post) {
        match post {
            Post::Question { step, .. } => with(step),
            other => waiting.push_back(other),
        }
    }
    with(|core| core.backlog = waiting);
    if let Some(core) = current::leave() {
        *place = Place::Parked(core);
    }
}

/// Runs turns, and parks the loop however they end.
fn drive(shared: &Arc<Shared>, how: Run) -> Result<()> {
    let result = catch_unwind(AssertUnwindSafe(|| {
        let result = turns(shared, how);
        if how == Run::Background && shared.is_ending() {
            end(shared);
        }
        result
    }));
    match result {
        Ok(result) => {
            park(shared);
            result
        }
        Err(panic) if panic.is::<Forked>() => {
            // A child of fork: the parent's descriptors must not even be closed here.
            std::mem::forget(current::leave());
            Err(Error::gone())
        }
        Err(panic) => {
            park(shared);
            resume_unwind(panic)
        }
    }
}

fn turns(shared: &Shared, how: Run) -> Result<()> {
    if let Run::Once(timeout) = how {
        with(|core| core.refresh_clock());
        let stopped = shared.take_stop();
        return turn(if stopped { Some(Duration::ZERO) } else { timeout });
    }
    loop {
        if shared.take_stop() || shared.is_ending() {
            return Ok(());
        }
        if how == Run::UntilDeserted && with(|core| core.is_deserted()) {
            return Ok(());
        }
        turn(None)?;
    }
}

/// Asks the loop to stop soon. Async-signal-safe: a look into the id table, an atomic flag and one write.
pub fn stop(id: u64) -> Result<()> {
    let entry = ids::lookup(id, IdKind::Loop).ok_or(Error::gone())?;
    // While this count is not zero, `free` does not close the waker's descriptor.
    entry.queued.fetch_add(1, SeqCst);
    let alive = entry.id.load(SeqCst) == id && entry.state.load(SeqCst) & ENDING == 0;
    if alive {
        entry.state.fetch_or(STOP, SeqCst);
        wake_by_number(entry.local.load(SeqCst) as RawFd);
    }
    entry.queued.fetch_sub(1, SeqCst);
    if alive { Ok(()) } else { Err(Error::gone()) }
}

#[allow(unsafe_code)]
fn wake_by_number(fd: RawFd) {
    // SAFETY: the descriptor belongs to the loop's waker, which stays open while the entry's count is not zero.
    waker::signal(unsafe { BorrowedFd::borrow_raw(fd) });
}

/// Runs `run` on the loop's thread, exactly once, in [`free`] at the latest.
pub fn post(id: u64, run: Box<dyn FnOnce() + Send>) -> Result<()> {
    shared::post(id, Post::Run(run))
}

/// The descriptor that is readable when the loop has something to do.
pub fn fd(id: u64) -> Result<RawFd> {
    here(id, |core| core.poller.raw_fd())
}

/// How long the loop may be left alone; None: until its descriptor is readable.
pub fn timeout(id: u64) -> Result<Option<Duration>> {
    here(
        id,
        |core| {
            if core.has_no_letters() { core.until_wake(core.poller.now_us()) } else { Some(Duration::ZERO) }
        },
    )
}

/// A question to a loop that this thread runs or that nobody runs.
fn here<R>(id: u64, question: impl FnOnce(&mut Core) -> R) -> Result<R> {
    ids::lookup(id, IdKind::Loop).ok_or(Error::gone())?;
    if current::loop_id() == id {
        return Ok(with(question));
    }
    let shared = shared::find(id)?;
    let mut place = shared.place();
    match &mut *place {
        Place::Parked(core) => Ok(question(core)),
        Place::Running { .. } => Err(Error::new(ErrorCode::Thread, "another thread runs the loop")),
        Place::Ended => Err(Error::gone()),
    }
}

/// Ends the loop: everything is closed, every `on_close` runs (on the background thread if there is one, otherwise
/// on this thread), every post runs, and the ids are dead when it returns.
pub fn free(id: u64) -> Result<()> {
    if current::loop_id() != 0 {
        ids::lookup(id, IdKind::Loop).ok_or(Error::gone())?;
        return Err(Error::state("a loop cannot be freed inside a callback"));
    }
    let shared = shared::find(id)?;
    {
        let place = shared.place();
        if let Place::Running { background: false, .. } = *place {
            return Err(Error::state("another thread runs the loop: stop it first"));
        }
        if shared.entry.state.fetch_or(ENDING, SeqCst) & ENDING != 0 {
            return Err(Error::gone());
        }
    }
    shared.mailbox.wake();
    let thread = shared.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
    join(thread);
    // A background thread has delivered everything by now; otherwise this thread does it.
    finish(&shared)
}

/// Ends a loop that is marked as ending, on this thread.
fn finish(shared: &Arc<Shared>) -> Result<()> {
    let core = {
        let mut place = shared.place();
        match std::mem::replace(&mut *place, Place::Running { background: false }) {
            Place::Parked(core) => core,
            other => {
                *place = other;
                return Err(Error::gone());
            }
        }
    };
    current::enter(core);
    let result = catch_unwind(AssertUnwindSafe(|| end(shared)));
    if result.as_ref().is_err_and(|panic| panic.is::<Forked>()) {
        std::mem::forget(current::leave());
        return Err(Error::gone());
    }
    let core = current::leave();
    bury(shared);
    shared::unregister(shared.id);
    ids::release(shared.id);
    drop(core);
    match result {
        Ok(()) => Ok(()),
        Err(panic) => resume_unwind(panic),
    }
}

/// From here the loop answers nobody; who still waits for an answer hears that it is gone.
fn bury(shared: &Shared) {
    let mut place = shared.place();
    let unread: Vec<Post> = std::iter::from_fn(|| shared.mailbox.take()).collect();
    *place = Place::Ended;
    drop(place);
    for post in unread {
        match post {
            Post::Sends => shared::discard(&shared.batches.take()),
            other => drop(other),
        }
    }
}

/// Delivers everything that is still owed.
fn end(shared: &Shared) {
    with(Core::refresh_clock);
    all_letters();
    with(Core::close_listeners);
    with(Core::close_everything);
    settle();
    let calls = with(Core::stop_timers);
    drop(calls);
    // Senders that were past the check when the loop began to end.
    while shared.entry.queued.load(SeqCst) != 0 {
        thread::yield_now();
    }
    shared.batches.wait_for_pushes();
    all_letters();
    // Connections that those letters made.
    with(Core::close_everything);
    settle();
    with(Core::close_sockets);
    settle();
}
