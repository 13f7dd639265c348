//! The Rust API of a loop.

use std::os::fd::RawFd;
use std::time::Duration;

use super::handler::Handler;
use super::handles::{Conn, Listener, Timer};
use super::loops::{self, LoopOptions};
use super::settings::{ConnectOptions, ListenOptions};
use super::write::Form;
use super::{current, dial, listen, shared, topics};
use crate::error::{Error, Result};
use crate::event_loop::ids::{self, IdKind};
use crate::proto::{Kind, utf8};

/// A loop by its id: `Copy`, for any thread. A call after the loop is freed returns
/// [`ErrorCode::Gone`](crate::ErrorCode::Gone).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Handle(u64);

impl Handle {
    /// From the number of the C API; any number is safe.
    pub const fn from_raw(id: u64) -> Handle {
        Handle(id)
    }

    /// The number of the C API.
    pub const fn raw(self) -> u64 {
        self.0
    }

    /// Listens on `url` ("ws://127.0.0.1:9001", `ws://[::]:0`, "ws+unix:/run/a.sock").
    pub fn listen(
        self,
        url: &str,
        handler: impl Handler + 'static,
        options: ListenOptions,
    ) -> Result<Listener> {
        self.listen_boxed(url, Box::new(handler), 0, options)
    }

    /// The same, with the word that the connections begin with.
    pub fn listen_boxed(
        self,
        url: &str,
        handler: Box<dyn Handler>,
        user: usize,
        options: ListenOptions,
    ) -> Result<Listener> {
        listen::listen(self.0, url, handler, user, options).map(Listener::from_raw)
    }

    /// Connects to `url` ("ws://host:port/path?query", "ws+unix:/run/a.sock:/path"). The id is valid at once;
    /// `on_open` or `on_close` tells what became of it.
    pub fn connect(
        self,
        url: &str,
        handler: impl Handler + 'static,
        options: ConnectOptions,
    ) -> Result<Conn> {
        self.connect_boxed(url, Box::new(handler), 0, options)
    }

    /// The same, with the word that the connection begins with.
    pub fn connect_boxed(
        self,
        url: &str,
        handler: Box<dyn Handler>,
        user: usize,
        options: ConnectOptions,
    ) -> Result<Conn> {
        dial::connect(self.0, url, handler, user, options).map(Conn::from_raw)
    }

    /// Runs `run` on the loop's thread, exactly once.
    pub fn post(self, run: impl FnOnce() + Send + 'static) -> Result<()> {
        loops::post(self.0, Box::new(run))
    }

    /// Calls `call` after `after_ms` milliseconds and then, unless it is 0, every `every_ms`.
    pub fn start_timer(
        self,
        after_ms: u32,
        every_ms: u32,
        mut call: impl FnMut(Timer) + Send + 'static,
    ) -> Result<Timer> {
        ids::lookup(self.0, IdKind::Loop).ok_or(Error::gone())?;
        let make = Box::new(move |id| -> super::timers::Call { Box::new(move || call(Timer::from_raw(id))) });
        let start = move |core: &mut super::core::Core| core.start_timer(after_ms, every_ms, make);
        shared::call(self.0, start)?.map(Timer::from_raw)
    }

    /// Sends to every subscriber of `topic` but `except`. On the loop's thread it returns how many it reached,
    /// elsewhere 0.
    ///
    /// Where permessage-deflate was agreed it is compressed once for each level and window.
    pub fn publish(self, topic: &str, except: Option<Conn>, kind: Kind, data: &[u8]) -> Result<usize> {
        self.publish_as(topic, except, Form { kind, compress: true }, data)
    }

    /// The same, but never compressed: see [`Conn::send_uncompressed`].
    pub fn publish_uncompressed(
        self,
        topic: &str,
        except: Option<Conn>,
        kind: Kind,
        data: &[u8],
    ) -> Result<usize> {
        self.publish_as(topic, except, Form { kind, compress: false }, data)
    }

    pub(crate) fn publish_as(
        self,
        topic: &str,
        except: Option<Conn>,
        form: Form,
        data: &[u8],
    ) -> Result<usize> {
        ids::lookup(self.0, IdKind::Loop).ok_or(Error::gone())?;
        topics::check_name(topic)?;
        if form.kind == Kind::Text && !utf8::is_valid(data) {
            return Err(Error::new(crate::ErrorCode::Utf8, "the text is not UTF-8"));
        }
        if current::loop_id() == self.0 {
            return current::with(|core| {
                let except = core.except(except);
                core.publish(topic, except, form, data)
            });
        }
        let mut copy = Vec::new();
        copy.try_reserve_exact(data.len()).map_err(|_| Error::no_memory())?;
        copy.extend_from_slice(data);
        let topic = topic.to_owned();
        shared::tell(self.0, move |core| {
            let except = core.except(except);
            if let Err(error) = core.publish(&topic, except, form, &copy) {
                core.log(super::log::Level::Error, format_args!("publish: {error}"));
            }
        })?;
        Ok(0)
    }

    /// Asks the loop to stop soon; safe in a signal handler.
    pub fn stop(self) -> Result<()> {
        loops::stop(self.0)
    }
}

/// An event loop. Dropping it closes everything: every `on_close` runs.
#[derive(Debug)]
pub struct Loop(Handle);

impl Loop {
    /// Makes a loop; nobody runs it yet.
    pub fn new(options: LoopOptions) -> Result<Loop> {
        loops::new(options).map(|id| Loop(Handle(id)))
    }

    /// What other threads and callbacks use.
    pub fn handle(&self) -> Handle {
        self.0
    }

    /// Runs on this thread until it is stopped, or until no listener, connection, timer or post is left.
    pub fn run(&self) -> Result<()> {
        loops::run(self.0.0)
    }

    /// Runs one turn; None waits until something happens.
    pub fn run_once(&self, timeout: Option<Duration>) -> Result<()> {
        loops::run_once(self.0.0, timeout)
    }

    /// Runs on a thread of its own until it is stopped or dropped.
    pub fn start(&self) -> Result<()> {
        loops::start(self.0.0)
    }

    /// The descriptor that is readable when the loop has something to do: then call `run_once(Some(ZERO))`.
    pub fn fd(&self) -> Result<RawFd> {
        loops::fd(self.0.0)
    }

    /// How long the loop may be left alone; None: until its descriptor is readable.
    pub fn timeout(&self) -> Result<Option<Duration>> {
        loops::timeout(self.0.0)
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        // Inside a callback of a loop this is refused: then the loop lives on with its thread.
        let _ = loops::free(self.0.0);
    }
}
