//! The part of a loop that other threads may touch: its mailbox, and where its [`Core`] is.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use crossbeam_channel::{bounded, select};

use super::core::Core;
use super::current;
use super::reply::reply;
use super::send_batches::{Batch, Head, SendBatches};
use crate::error::{Error, Result};
use crate::event_loop::ids::{self, Entry, IdKind};
use crate::event_loop::mailbox::{Channel, Mailbox};
use crate::event_loop::waker::Waker;

/// A letter to a loop.
pub enum Post {
    /// Marks the place of the oldest of [`Shared::batches`].
    Sends,
    /// A step of this library on the loop's state; calls no user code. Keeps its place between the messages.
    Step(Step),
    /// A step whose result somebody waits for. With `overtakes` it is made even inside a callback that waits itself.
    Question { step: Step, overtakes: bool },
    /// The application's function.
    Run(Box<dyn FnOnce() + Send>),
}

/// Something done to a loop by its own thread.
pub type Step = Box<dyn FnOnce(&mut Core) + Send>;

/// The mailbox of a loop.
pub type LoopMailbox = Mailbox<Post, Channel<Post>, Waker>;

/// Bits of a loop's `Entry::state`.
pub const STOP: u32 = 1;
/// The loop is being freed.
pub const ENDING: u32 = 2;

/// What every thread may know of a loop.
pub struct Shared {
    pub id: u64,
    pub entry: &'static Entry,
    pub mailbox: LoopMailbox,
    /// Messages to send; the [`mail_cost`] of each is counted in its entry's `queued` until the loop has looked at it.
    pub batches: SendBatches,
    place: Mutex<Place>,
    /// The background thread, until somebody joins it.
    pub thread: Mutex<Option<JoinHandle<()>>>,
}

/// Where the loop's state is.
pub enum Place {
    /// Nobody runs the loop.
    Parked(Box<Core>),
    /// That thread runs it.
    Running { background: bool },
    /// The loop is freed.
    Ended,
}

impl Shared {
    /// The shared part of a new loop, which is not parked yet.
    pub fn new(id: u64, entry: &'static Entry, mailbox: LoopMailbox) -> Arc<Shared> {
        let place = Mutex::new(Place::Ended);
        Arc::new(Shared {
            id,
            entry,
            mailbox,
            batches: SendBatches::default(),
            place,
            thread: Mutex::new(None),
        })
    }

    /// Where the state is; a panic elsewhere does not make it unusable.
    pub fn place(&self) -> MutexGuard<'_, Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a stop was asked for since the last call; the request is used up.
    pub fn take_stop(&self) -> bool {
        self.entry.state.fetch_and(!STOP, SeqCst) & STOP != 0
    }

    /// Puts a letter into the mailbox, behind what was sent before it.
    fn post(&self, post: Post) {
        self.batches.seal();
        self.mailbox.post(post);
    }

    /// Whether the loop is being freed.
    pub fn is_ending(&self) -> bool {
        self.entry.state.load(SeqCst) & ENDING != 0
    }
}

static LOOPS: Mutex<Option<HashMap<u64, Arc<Shared>>>> = Mutex::new(None);

fn loops<R>(f: impl FnOnce(&mut HashMap<u64, Arc<Shared>>) -> R) -> R {
    ids::with_global_lock(|| {
        let mut loops = LOOPS.lock().unwrap_or_else(PoisonError::into_inner);
        f(loops.get_or_insert_default())
    })
}

/// Makes a loop findable by its id.
pub fn register(shared: &Arc<Shared>) {
    loops(|loops| loops.insert(shared.id, shared.clone()));
}

/// Forgets a loop.
pub fn unregister(id: u64) {
    let removed = loops(|loops| {
        let removed = loops.remove(&id);
        if loops.is_empty() {
            // A leak checker of the host would wonder about the empty table.
            loops.shrink_to_fit();
        }
        removed
    });
    drop(removed);
    forget_cached();
}

thread_local! {
    /// The loop that this thread posted to last: a sender does not take the registry's lock for every message.
    static LAST: RefCell<Option<Arc<Shared>>> = const { RefCell::new(None) };
}

fn forget_cached() {
    let old = LAST.with_borrow_mut(Option::take);
    drop(old);
}

/// The live loop `id`.
pub fn find(id: u64) -> Result<Arc<Shared>> {
    with_shared(id, Arc::clone)
}

/// Calls `f` with the live loop `id`, without counting a reference.
pub fn with_shared<R>(id: u64, f: impl FnOnce(&Arc<Shared>) -> R) -> Result<R> {
    ids::lookup(id, IdKind::Loop).ok_or(Error::gone())?;
    LAST.with_borrow_mut(|last| {
        if last.as_ref().is_none_or(|shared| shared.id != id) {
            *last = Some(loops(|loops| loops.get(&id).cloned()).ok_or(Error::gone())?);
        }
        last.as_ref().map(f).ok_or(Error::gone())
    })
}

/// Runs `step` on the loop `id` and waits for its result, whoever runs the loop and whether or not anybody does.
pub fn call<R: Send + 'static>(id: u64, step: impl FnOnce(&mut Core) -> R + Send + 'static) -> Result<R> {
    if current::loop_id() == id && ids::lookup(id, IdKind::Loop).is_some() {
        return Ok(current::with(step));
    }
    let shared = find(id)?;
    let mut place = shared.place();
    match &mut *place {
        Place::Ended => Err(Error::gone()),
        Place::Parked(core) => {
            core.refresh_clock();
            let result = step(core);
            // Somebody may be asleep on the loop's descriptor.
            shared.mailbox.wake();
            Ok(result)
        }
        Place::Running { .. } => {
            // Posted under the lock: the runner looks at the mailbox once more under it before it parks.
            if current::loop_id() == 0 {
                let (answer, reply) = reply();
                // Any thread that runs no loop can wait for the end of a callback, and must: a timer that it has
                // stopped is not running any more.
                let step = Box::new(move |core: &mut Core| answer.give(step(core)));
                shared.post(Post::Question { step, overtakes: false });
                drop(place);
                return reply.wait();
            }
            let (sender, receiver) = bounded(1);
            let answer = move |core: &mut Core| {
                // The caller waits; if it were gone, there would be nobody to tell.
                let _ = sender.send(step(core));
            };
            // Loops that ask each other in callbacks must not wait for each other's ends.
            shared.post(Post::Question { step: Box::new(answer), overtakes: true });
            drop(place);
            wait_and_serve(&receiver)
        }
    }
}

/// Waits for an answer of another loop on a thread that runs a loop itself, and answers other loops meanwhile, so that
/// two loops that ask each other do not wait for ever.
fn wait_and_serve<R>(answer: &crossbeam_channel::Receiver<R>) -> Result<R> {
    let own = current::with(|core| core.shared.clone());
    loop {
        select! {
            recv(answer) -> result => return result.map_err(|_| Error::gone()),
            recv(own.mailbox.queue().receiver()) -> post => match post {
                Ok(Post::Question { step, overtakes: true }) => current::with(step),
                Ok(post) => current::with(|core| core.backlog.push_back(post)),
                Err(_) => return Err(Error::gone()),
            }
        }
    }
}

/// Runs `step` on the loop `id`: at once on its own thread, otherwise when the loop comes to it.
pub fn tell(id: u64, step: impl FnOnce(&mut Core) + Send + 'static) -> Result<()> {
    if current::loop_id() == id {
        current::with(step);
        return Ok(());
    }
    post(id, Post::Step(Box::new(step)))
}

/// Puts a letter into the mailbox of loop `id`. A letter that is refused is dropped here, outside every borrow.
pub fn post(id: u64, post: Post) -> Result<()> {
    let mut post = Some(post);
    let refused = with_shared(id, |shared| {
        // While this count is not zero, the loop that is being freed does not look into its mailbox for the last time.
        shared.entry.queued.fetch_add(1, SeqCst);
        let alive = shared.entry.id.load(SeqCst) == id && !shared.is_ending();
        if let Some(post) = post.take_if(|_| alive) {
            shared.post(post);
        }
        shared.entry.queued.fetch_sub(1, SeqCst);
        !alive
    });
    drop(post);
    if refused? { Err(Error::gone()) } else { Ok(()) }
}

/// Puts a message into the mailbox of loop `id`.
pub fn post_send(id: u64, head: Head, data: &[u8]) -> Result<()> {
    with_shared(id, |shared| {
        let alive = || shared.entry.id.load(SeqCst) == id && !shared.is_ending();
        shared.batches.push(head, data, alive, || shared.mailbox.post(Post::Sends))
    })?
}

/// Ends messages that nobody will send.
pub fn discard(batch: &Batch) {
    for (head, data) in batch.messages() {
        head.entry.queued.fetch_sub(mail_cost(data.len()), SeqCst);
    }
}

/// What a message in the mailbox counts: what its frame will take in the queue of a server's connection; also an empty one
/// takes memory.
pub fn mail_cost(len: usize) -> u64 {
    let header = match len {
        0..=125 => 2,
        126..=0xffff => 4,
        _ => 10,
    };
    (len as u64).saturating_add(header).max(16)
}
